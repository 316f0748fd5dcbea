// SPDX-License-Identifier: Apache-2.0
#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// Which encoding the pages of a column get: tried out on its first page, then kept.
///
/// A dictionary is begun with where it is allowed. The first page is made in every way there is;
/// what takes least, compressed, goes on. The choice outlives the column chunk: the next ones start
/// with it, and try again now and then, as data drift.
struct EncodingChoice {
  /// What a page without dictionary may be encoded with; at least one.
  let candidates: [Encoding]
  let dictionaryLimit: Int
  private let use: DictionaryUse
  private var mode: Mode
  /// The candidate that goes where no dictionary does.
  private(set) var fallback: Encoding
  private var samples: [(values: Int, entries: Int)] = []
  private var isWorthless = false
  private var chunksSinceTrial = 0

  private enum Mode {
    case trying
    case coding
    case plain
  }

  /// How many values are appended between two looks at how the dictionary grows.
  static let sampleStep = 1024
  /// After how many column chunks a choice is tried anew.
  private static let trialInterval = 8
  /// A trial is made of at least so many values, if there are.
  private static let leastValues = 1024
  /// How many pages a trial looks ahead, if there are more to come.
  private static let horizon = 16

  init(candidates: [Encoding], use: DictionaryUse, dictionaryLimit: Int) {
    precondition(!candidates.isEmpty, "no encoding at all")
    self.candidates = candidates
    self.use = use
    self.dictionaryLimit = dictionaryLimit
    fallback = candidates[0]
    mode = Self.initialMode(use, candidates)
  }

  private static func initialMode(_ use: DictionaryUse, _ candidates: [Encoding]) -> Mode {
    use == .never && candidates.count == 1 ? .plain : .trying
  }

  var usesDictionary: Bool { use != .never }
  var isTrying: Bool { mode == .trying }
  /// True while values become codes; a trial without dictionary collects values.
  var isCoding: Bool { mode == .coding || (mode == .trying && usesDictionary) }

  /// True if a page of so many values ends the trial. One of few values says little: it is coded,
  /// and the next one decides.
  func mayDecide(valueCount: Int, isLastPage: Bool) -> Bool {
    isTrying && (!usesDictionary || isLastPage || valueCount >= Self.leastValues)
  }

  /// Counts values of the first page, and how many distinct ones there are after them.
  mutating func note(valueCount: Int, entryCount: Int) {
    samples.append((valueCount + (samples.last?.values ?? 0), entryCount))
  }

  /// The dictionary got too big: the rest of the chunk goes without.
  mutating func giveUp() { mode = .plain }

  mutating func startChunk() {
    chunksSinceTrial += 1
    samples.removeAll()
    if chunksSinceTrial >= Self.trialInterval {
      chunksSinceTrial = 0
      isWorthless = false
      mode = Self.initialMode(use, candidates)
    } else if !isTrying {
      mode = isWorthless || !usesDictionary ? .plain : .coding
    }
  }

  /// Ends the trial.
  ///
  /// - Parameters:
  ///   - sizes: what the page takes by each of `candidates`.
  ///   - codedSize: what it takes as codes.
  mutating func decide(sizes: [Int], codedSize: Int, dictionarySize: Int, isLastPage: Bool) {
    var least = 0
    for i in sizes.indices where sizes[i] < sizes[least] { least = i }
    fallback = candidates[least]
    let isWorth =
      use == .always
      || (usesDictionary
        && pays(sizes[least], codedSize, dictionarySize, isLastPage: isLastPage))
    isWorthless = !isWorth
    mode = isWorth ? .coding : .plain
  }

  /// True if codes and dictionary take less room than `plainSize` a page; within 3 % they win, as
  /// readers skip and filter by dictionaries.
  private func pays(
    _ plainSize: Int, _ codedSize: Int, _ dictionarySize: Int, isLastPage: Bool
  ) -> Bool {
    guard !isLastPage, let last = samples.last else {
      return codedSize + dictionarySize <= plainSize
    }
    let pages = Self.horizon
    let entries = expectedEntryCount(after: pages * last.values, last)
    let dictionary = dictionarySize * max(entries, last.entries) / max(1, last.entries)
    let extraBits = Self.bits(entries) - Self.bits(last.entries)
    let coded = pages * codedSize + (pages - 1) * last.values * max(0, extraBits) / 8
    return (coded + dictionary) * 100 <= pages * plainSize * 103
  }

  /// How many distinct values are to be expected among so many, if they were drawn at random: of d
  /// equally likely ones, the n-th draw is new with a probability of exp(-n / d), which is seen in
  /// the last quarter of the sample.
  private func expectedEntryCount(
    after valueCount: Int, _ last: (values: Int, entries: Int)
  ) -> Int {
    let quarter = samples.last { $0.values <= last.values * 3 / 4 } ?? (0, 0)
    let lateValues = Double(last.values - quarter.values)
    let lateEntries = Double(last.entries - quarter.entries)
    guard lateEntries > 0 else { return last.entries }
    guard lateEntries < lateValues * 0.999 else { return valueCount }
    let middle = Double(last.values + quarter.values) / 2
    let distinct = middle / -log(lateEntries / lateValues)
    return Int(distinct * (1 - exp(-Double(valueCount) / distinct)))
  }

  private static func bits(_ count: Int) -> Int {
    RLEBitPackedEncoder.bitWidth(of: max(0, count - 1))
  }
}
