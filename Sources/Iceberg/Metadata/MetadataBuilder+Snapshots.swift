// SPDX-License-Identifier: Apache-2.0

// Snapshots, the references to them, and the log of which was current when.

extension MetadataBuilder {
  mutating func add(_ snapshot: Snapshot) throws(IcebergError) {
    let what = "snapshot \(snapshot.id.rawValue)"
    guard snapshot.id.rawValue > 0 else { throw .invalid(what, reason: "ids are positive") }
    guard !metadata.snapshots.contains(snapshot.id) else {
      throw .duplicate(what, in: "the table")
    }
    try checkSequence(of: snapshot, what)
    try checkTime(of: snapshot, what)
    if metadata.formatVersion > .v1 {
      guard snapshot.manifestList != nil, snapshot.operation != nil else {
        throw .invalid(what, reason: "from version 2 on it needs a manifest list and a summary")
      }
      metadata.lastSequenceNumber = max(metadata.lastSequenceNumber, snapshot.sequenceNumber)
    }
    if metadata.formatVersion >= .v3 { try takeRowIDs(for: snapshot, what) }
    // Encoded once: the commits after this one copy the bytes.
    _ = metadata.snapshots.append(snapshot.encoded())
    addedSnapshots.insert(snapshot.id)
    addedSnapshotTime = max(addedSnapshotTime ?? .min, snapshot.timestampMilliseconds)
    hasChanged = true
  }

  private func checkSequence(of snapshot: Snapshot, _ what: String) throws(IcebergError) {
    let number = snapshot.sequenceNumber
    guard metadata.formatVersion > .v1 else {
      guard number.rawValue == 0 else {
        throw .invalid(what, reason: "version 1 has no sequence numbers")
      }
      return
    }
    guard number > metadata.lastSequenceNumber || snapshot.parentID == nil else {
      throw .stale(
        "sequence number \(number.rawValue)", newest: metadata.lastSequenceNumber.rawValue)
    }
  }

  private func checkTime(of snapshot: Snapshot, _ what: String) throws(IcebergError) {
    let newest = max(
      metadata.snapshotLog.last?.timestampMilliseconds ?? .min, metadata.lastUpdatedMilliseconds)
    guard snapshot.timestampMilliseconds.isNotBefore(newest) else {
      throw .invalid(
        what,
        reason: "its time, \(snapshot.timestampMilliseconds) ms, lies more than a minute before "
          + "the table's last change at \(newest) ms")
    }
  }

  private mutating func takeRowIDs(
    for snapshot: Snapshot, _ what: String
  ) throws(IcebergError) {
    guard let lineage = snapshot.rowLineage else {
      throw .invalid(what, reason: "from version 3 on it needs a first row id")
    }
    guard lineage.firstRowID >= metadata.nextRowID else {
      throw .stale("first row id \(lineage.firstRowID)", newest: metadata.nextRowID)
    }
    let (next, overflow) = lineage.firstRowID.addingReportingOverflow(lineage.addedRowCount)
    guard lineage.addedRowCount >= 0, !overflow else {
      throw .invalid(what, reason: "it adds \(lineage.addedRowCount) rows")
    }
    metadata.nextRowID = next
  }

  mutating func set(
    _ reference: SnapshotReference, as name: String
  ) throws(IcebergError) {
    guard let snapshot = metadata.snapshot(reference.snapshotID) else {
      throw .unknownField("snapshot \(reference.snapshotID.rawValue)", in: "the table")
    }
    guard name != SnapshotReference.mainBranch || reference.kind == .branch else {
      throw .invalid("a tag called 'main'", reason: "main is a branch")
    }
    let old = metadata.reference(name)
    guard old != reference else { return }
    metadata.referenceDocuments[name] = Verbatim(reference)
    hasChanged = true
    guard name == SnapshotReference.mainBranch, old?.snapshotID != reference.snapshotID else {
      return
    }
    if let old, addedSnapshots.contains(old.snapshotID) { passedSnapshots.insert(old.snapshotID) }
    let time =
      addedSnapshots.contains(snapshot.id)
      ? snapshot.timestampMilliseconds : max(now, base.lastUpdatedMilliseconds)
    metadata.snapshotLog.append(
      SnapshotLogEntry(timestampMilliseconds: time, snapshotID: snapshot.id))
  }

  mutating func removeReference(_ name: String) {
    guard metadata.referenceDocuments.removeValue(forKey: name) != nil else { return }
    hasChanged = true
    if name == SnapshotReference.mainBranch {
      metadata.snapshotLog = []
      metadata.encodedSnapshotLog = nil
    }
  }

  mutating func remove(_ ids: Set<SnapshotID>) throws(IcebergError) {
    let there = ids.filter { metadata.snapshots.contains($0) }
    guard !there.isEmpty else { return }
    if let current = metadata.currentSnapshotID, there.contains(current) {
      throw .invalid("removal of snapshot \(current.rawValue)", reason: "branch main is at it")
    }
    metadata.snapshots.remove(there)
    metadata.encodedSnapshots = nil
    metadata.referenceDocuments = metadata.referenceDocuments.filter {
      !there.contains($0.value.value.snapshotID)
    }
    removeStatistics(there)
    removePartitionStatistics(there)
    hasRemovedSnapshots = true
    hasChanged = true
  }

  /// Takes out of the log what never was the end of a change, and what lies before a gap.
  ///
  /// A log with a hole would give wrong answers to reads of the past; one that begins later gives
  /// none.
  mutating func pruneSnapshotLog() {
    if let current = metadata.currentSnapshotID { passedSnapshots.remove(current) }
    guard hasRemovedSnapshots || !passedSnapshots.isEmpty else { return }
    var kept: [SnapshotLogEntry] = []
    for entry in metadata.snapshotLog {
      if metadata.snapshots.contains(entry.snapshotID) {
        if !passedSnapshots.contains(entry.snapshotID) { kept.append(entry) }
      } else if hasRemovedSnapshots {
        kept.removeAll()
      } else {
        kept.append(entry)
      }
    }
    guard kept != metadata.snapshotLog else { return }
    metadata.snapshotLog = kept
    metadata.encodedSnapshotLog = nil
  }
}

extension Int64 {
  /// True if this time, in milliseconds, is at most a minute before `other`.
  ///
  /// The clocks of two writers differ by so much.
  func isNotBefore(_ other: Int64) -> Bool {
    let (bound, overflow) = other.subtractingReportingOverflow(60_000)
    return overflow || self >= bound
  }
}
