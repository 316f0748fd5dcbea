// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Columnar

/// Puts nested columns together from the levels and values of their leaves.
///
/// An entry is a pair of a repetition and a definition level. Seen from a node, an entry is a slot
/// if a place for the node's value is there: no list around it goes on inside it (its repetition
/// level is not above that of the innermost list around), and that list has an element there (its
/// definition level is at least the list's). A slot is null or holds a value, by the definition
/// level again.
/// Source: parquet-format README.md, "Nested Encoding".
struct RecordAssembly {
  let batches: [LeafBatch]

  /// What makes an entry a slot.
  private struct Place {
    let definitionLevel: Int
    let repetitionLevel: Int

    static let row = Place(definitionLevel: 0, repetitionLevel: 0)
  }

  /// Why leaves do not go together, beside broken values.
  enum Failure: Error {
    case values(ByteError)
    case counts(expected: Int, found: Int)
  }

  func column(_ shape: ColumnShape) throws(Failure) -> Column { try column(shape, .row) }

  private func column(_ shape: ColumnShape, _ place: Place) throws(Failure) -> Column {
    switch shape.kind {
    case .leaf(let index): try leaf(index, place)
    case .structure(let children): try structure(shape, children, place)
    case .list(let element, let levels): try list(shape, element, levels, place)
    }
  }

  private func batch(_ leaf: Int) -> LeafBatch {
    guard let batch = batches.first(where: { $0.leaf.index == leaf }) else {
      preconditionFailure("a leaf that was not decoded")
    }
    return batch
  }

  private func leaf(_ index: Int, _ place: Place) throws(Failure) -> Column {
    let batch = batch(index)
    let validity = bits(batch, place, validFrom: batch.leaf.maxDefinitionLevel)
    do throws(ByteError) {
      let count = validity.count
      return try batch.finish(validity.countOfOnes == count ? nil : validity, rowCount: count)
    } catch {
      throw .values(error)
    }
  }

  private func structure(
    _ shape: ColumnShape, _ fields: [ColumnShape], _ place: Place
  ) throws(Failure) -> Column {
    // The validity first: putting the leaves together takes their values, not their levels.
    let validity = bits(batch(shape.firstLeaf), place, validFrom: shape.definitionLevel)
    var children: [Column] = []
    for field in fields {
      let child = try column(field, place)
      guard child.count == validity.count else {
        throw .counts(expected: validity.count, found: child.count)
      }
      children.append(child)
    }
    let column = Column(
      type: shape.variant?.storedType ?? shape.field.type, count: validity.count,
      validity: validity, values: .structure(children))
    guard let variant = shape.variant else { return column }
    do throws(ByteError) {
      var assembly = VariantAssembly(variant.shape)
      return try assembly.column(column, metadata: variant.metadata, as: shape.field.type)
    } catch {
      throw .values(error)
    }
  }

  private func list(
    _ shape: ColumnShape, _ element: ColumnShape, _ levels: ColumnShape.ListLevels,
    _ place: Place
  ) throws(Failure) -> Column {
    let batch = batch(shape.firstLeaf)
    let validity = bits(batch, place, validFrom: shape.definitionLevel)
    let (offsets, total) = offsets(batch, place, levels, count: validity.count)
    let elements = try column(
      element,
      Place(
        definitionLevel: levels.elementDefinitionLevel, repetitionLevel: levels.repetitionLevel))
    guard elements.count == total else {
      throw .counts(expected: total, found: elements.count)
    }
    return Column(
      type: shape.field.type, count: validity.count, validity: validity,
      values: .list(offsets: offsets, elements: elements))
  }

  /// A bit for each slot at `place`, 1 where the definition level is at least `level`.
  private func bits(_ batch: LeafBatch, _ place: Place, validFrom level: Int) -> Bitmap {
    let levels = batch.levels
    let definition = levels.definition.values(as: UInt8.self)
    let (slot, valid) = (UInt8(clamping: place.definitionLevel), UInt8(clamping: level))
    // A byte a slot first: written whether or not one is there, and written over if not.
    var mask = MutableBuffer(byteCount: definition.count)
    var bytes = mask.mutableValues(as: UInt8.self)
    var count = 0
    if batch.leaf.maxRepetitionLevel > place.repetitionLevel {
      let repetition = levels.repetition.values(as: UInt8.self).extracting(definition.indices)
      let top = UInt8(clamping: place.repetitionLevel)
      for i in definition.indices {
        bytes[count] = definition[i] >= valid ? 1 : 0
        count &+= definition[i] >= slot && repetition[i] <= top ? 1 : 0
      }
    } else {
      // Entries of the leaf's own innermost list, or of no list, all begin something.
      for i in definition.indices {
        bytes[count] = definition[i] >= valid ? 1 : 0
        count &+= definition[i] >= slot ? 1 : 0
      }
    }
    var bitmap = MutableBuffer(zeroed: (count + 63) / 64 * 8)
    var target = bitmap.mutableBytes
    BitmapKernels.pack(mask: mask.bytes.extracting(0..<count), into: &target)
    return Bitmap(bitmap.freeze(), count: count)
  }

  /// Where the elements of each of the `count` slots at `place` begin and end, and how many
  /// elements there are.
  private func offsets(
    _ batch: LeafBatch, _ place: Place, _ levels: ColumnShape.ListLevels, count: Int
  ) -> (Buffer, Int) {
    var buffer = MutableBuffer(byteCount: (count + 1) * 4)
    var offsets = buffer.mutableValues(as: Int32.self)
    let found = batch.levels
    let definition = found.definition.values(as: UInt8.self)
    let repetition = found.repetition.values(as: UInt8.self).extracting(definition.indices)
    let slot = UInt8(clamping: place.definitionLevel)
    let outer = UInt8(clamping: place.repetitionLevel)
    let (element, inner) = (
      UInt8(clamping: levels.elementDefinitionLevel), UInt8(clamping: levels.repetitionLevel)
    )
    var next = 0
    // Counted in levels, of which a batch has fewer than Int32 holds.
    var total: Int32 = 0
    for i in definition.indices {
      let (level, again) = (definition[i], repetition[i])
      // Written whether or not a slot begins here: if none does, the next one writes it over.
      offsets[next] = total
      next &+= again <= outer && level >= slot ? 1 : 0
      total &+= again <= inner && level >= element ? 1 : 0
    }
    offsets[next] = total
    return (buffer.freeze(), Int(total))
  }
}

extension ColumnShape {
  /// The first of the leaves it is put together from.
  var firstLeaf: Int {
    switch kind {
    case .leaf(let index): index
    case .structure(let children): children.first?.firstLeaf ?? leafRange.lowerBound
    case .list(let element, _): element.firstLeaf
    }
  }
}
