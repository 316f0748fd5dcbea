// SPDX-License-Identifier: Apache-2.0
import Bytes
import Storage

extension StoreContract {
  /// 25 ways in which a write's answer or condition goes wrong, on every store: what it came to is
  /// certain, or said not to be, and what is said to be certain is so.
  ///
  /// A store that settles lost answers itself says how the write ended; of another the caller is
  /// told that it is unknown, writes again under the same condition, and comes to the same.
  public static let lostAnswers: [Law] = creates + replacements + others

  private static let creates: [Law] = [
    Law("01 a create whose answer is lost is ours") { trial in
      let ending = try await trial.create(WriteScript { $0 == 1 ? .loseReply : nil })
      try trial.expect(ending, .done, orElse: .unknown)
      try await trial.expectText("object", "mine", "afterwards")
    },

    Law("02 a create that is lost is made, or can be made again") { trial in
      let ending = try await trial.create(WriteScript { $0 == 1 ? .loseRequest : nil })
      try trial.expect(ending, .done, orElse: .unknown)
      try await trial.expectText("object", trial.settles ? "mine" : nil, "afterwards")
      try await trial.expectSettled("mine")
    },

    Law("03 without any answer a create that was made is unknown") { trial in
      let ending = try await trial.create(WriteScript(losesReads: true) { _ in .loseReply })
      try trial.expect(ending, equals: .unknown, "ending")
      try await trial.expectText("object", "mine", "afterwards")
    },

    Law("04 without any answer a create that was not made is unknown") { trial in
      let ending = try await trial.create(WriteScript(losesReads: true) { _ in .loseRequest })
      try trial.expect(ending, equals: .unknown, "ending")
      try await trial.expectSettled("mine")
    },

    Law("05 a create that is put off once is made, or certainly not") { trial in
      let ending = try await trial.create(WriteScript { $0 == 1 ? .busy : nil })
      try trial.expect(ending, .done, orElse: .refused)
      try await trial.expectText("object", trial.settles ? "mine" : nil, "afterwards")
    },

    Law("06 a create that is put off for ever is certainly not made") { trial in
      let ending = try await trial.create(WriteScript { _ in .busy })
      try trial.expect(ending, equals: .refused, "ending")
      try await trial.expectText("object", nil, "afterwards")
    },

    Law("07 another's create after our lost one wins") { trial in
      let ending = try await trial.create(
        WriteScript { number in
          guard number == 1 else { return nil }
          try await trial.put("theirs", at: "object")
          return .loseRequest
        })
      try trial.expect(ending, .conditionFailed, orElse: .unknown)
      try await trial.expectSettled("theirs")
    },

    Law("08 a lost answer and then a refusal stay unknown") { trial in
      let ending = try await trial.create(
        WriteScript(losesReads: true) { $0 == 1 ? .loseReply : .forbid })
      try trial.expect(ending, equals: .unknown, "ending")
      try await trial.expectText("object", "mine", "afterwards")
    },

    Law("09 a create that comes late, after its own repetition, changes nothing") { trial in
      let script = WriteScript { $0 == 1 ? .hold : nil }
      try trial.expect(try await trial.create(script), .done, orElse: .unknown)
      try await trial.expectSettled("mine")
      let version = try await trial.store.head(trial.path("object")).version
      await script.releaseHeld()
      let now = try await trial.store.head(trial.path("object")).version
      try trial.expect(now, equals: version, "version")
    },

    Law("10 a create that comes late, after another's, changes nothing") { trial in
      let script = WriteScript { number in
        guard number == 1 else { return nil }
        try await trial.put("theirs", at: "object")
        return .hold
      }
      try trial.expect(try await trial.create(script), .conditionFailed, orElse: .unknown)
      await script.releaseHeld()
      try await trial.expectSettled("theirs")
    },

    Law("11 that there is nothing does not prove that a create will not come") { trial in
      let script = WriteScript(losesReads: true) { $0 == 1 ? .hold : .loseRequest }
      try trial.expect(try await trial.create(script), equals: .unknown, "ending")
      try await trial.expectText("object", nil, "at first")
      await script.releaseHeld()
      try await trial.expectText("object", "mine", "when it came")
      try await trial.expectSettled("mine")
    },

    Law("12 a create where something is fails, and is certain") { trial in
      try await trial.put("theirs", at: "object")
      try trial.expect(
        try await trial.create(WriteScript { _ in nil }), equals: .conditionFailed, "ending")
      try await trial.expectText("object", "theirs", "afterwards")
    },

    Law("13 another's create of the same bytes is not ours") { trial in
      let ending = try await trial.create(
        WriteScript { number in
          guard number == 1 else { return nil }
          _ = try await trial.store.put(
            Buffer(utf8: "mine"), to: trial.path("object"), if: .absent)
          return .loseRequest
        })
      try trial.expect(ending, .conditionFailed, orElse: .unknown)
    },

    Law("14 a conflict of creates is not an object that is there") { trial in
      let ending = try await trial.create(WriteScript { $0 == 1 ? .conflict : nil })
      try trial.expect(ending, .done, orElse: .refused)
      try trial.expect(
        try await trial.create(WriteScript { _ in .conflict }, at: "other"), equals: .refused,
        "a conflict that does not end")
      try await trial.expectText("other", nil, "afterwards")
    },

    Law("15 a create after a delete is as the first") { trial in
      try await trial.put("theirs", at: "object")
      try await trial.store.delete(trial.path("object"))
      let ending = try await trial.create(WriteScript { $0 == 1 ? .loseReply : nil })
      try trial.expect(ending, .done, orElse: .unknown)
      try await trial.expectSettled("mine")
    },
  ]

  private static let replacements: [Law] = [
    Law("16 a replacement whose answer is lost is ours") { trial in
      let (ending, _) = try await trial.replace(WriteScript { $0 == 1 ? .loseReply : nil })
      try trial.expect(ending, .done, orElse: .unknown)
      try await trial.expectText("object", "mine", "afterwards")
    },

    Law("17 a replacement that is lost is made, or can be made again") { trial in
      let (ending, old) = try await trial.replace(WriteScript { $0 == 1 ? .loseRequest : nil })
      try trial.expect(ending, .done, orElse: .unknown)
      guard !trial.settles else {
        return try await trial.expectText("object", "mine", "afterwards")
      }
      try await trial.expectText("object", "old one", "afterwards")
      _ = try await trial.store.put(
        Buffer(utf8: "mine"), to: trial.path("object"), if: .matches(old))
    },

    Law("18 a replacement that may itself have been replaced is unknown") { trial in
      let (ending, _) = try await trial.replace(
        WriteScript { number in
          if number == 1 { return .loseReply }
          try await trial.put("theirs", at: "object")
          return nil
        })
      try trial.expect(ending, equals: .unknown, "ending")
      try await trial.expectText("object", trial.settles ? "theirs" : "mine", "afterwards")
    },

    Law("19 another's replacement before our lost one stays") { trial in
      let (ending, _) = try await trial.replace(
        WriteScript { number in
          guard number == 1 else { return nil }
          try await trial.put("theirs", at: "object")
          return .loseRequest
        })
      try trial.expect(
        ending == .unknown || ending == .conditionFailed, "ending: \(ending)")
      try await trial.expectText("object", "theirs", "afterwards")
    },

    Law("20 a replacement that comes late, after another's, changes nothing") { trial in
      let script = WriteScript { number in
        guard number == 1 else { return nil }
        try await trial.put("theirs", at: "object")
        return .hold
      }
      let (ending, _) = try await trial.replace(script)
      try trial.expect(ending != .done, "ending: \(ending)")
      await script.releaseHeld()
      try await trial.expectText("object", "theirs", "afterwards")
    },

    Law("21 a replacement of what is gone or another fails, and is certain") { trial in
      for text in [nil, "theirs"] {
        let path = try trial.path("object")
        let version = try await trial.store.put(Buffer(utf8: "old one"), to: path, if: .none)
        try await trial.store.delete(path)
        if let text { try await trial.put(text, at: "object") }
        let ending = await trial.ending { () throws(StorageError) in
          _ = try await trial.under.lossy(WriteScript { _ in nil })
            .put(Buffer(utf8: "mine"), to: path, if: .matches(version))
        }
        try trial.expect(ending, equals: .conditionFailed, "ending")
        try await trial.expectText("object", text, "afterwards")
      }
    },
  ]

  private static let others: [Law] = [
    Law("22 a write without condition whose answer is lost is repeated, or unknown") { trial in
      let path = try trial.path("object")
      for isMade in [true, false] {
        try await trial.put("old one", at: "object")
        let lossy = trial.under.lossy(
          WriteScript { $0 > 1 ? nil : isMade ? .loseReply : .loseRequest })
        let ending = await trial.ending { () throws(StorageError) in
          _ = try await lossy.put(Buffer(utf8: "mine"), to: path, if: .none)
        }
        try trial.expect(ending, .done, orElse: .unknown)
        try await trial.expectText(
          "object", isMade || trial.settles ? "mine" : "old one", "afterwards")
      }
    },

    Law("23 a delete whose answer is lost is repeated, or unknown") { trial in
      for isMade in [true, false] {
        try await trial.put("old one", at: "object")
        let path = try trial.path("object")
        let lossy = trial.under.lossy(
          WriteScript { $0 > 1 ? nil : isMade ? .loseReply : .loseRequest })
        let ending = await trial.ending { () throws(StorageError) in
          try await lossy.delete(path)
        }
        try trial.expect(ending, .done, orElse: .unknown)
        try await trial.expectText(
          "object", isMade || trial.settles ? nil : "old one", "afterwards")
        try await trial.store.delete(path)
        try await trial.expectAbsent("object", "after one more")
      }
      // Many at once: who is not told that all are gone is told which may not be.
      let paths = try (0..<5).map { try trial.path("many/\($0)") }
      for path in paths { _ = try await trial.store.put(.empty, to: path, if: .none) }
      let answers = await trial.under.lossy(WriteScript { $0 == 1 ? .loseReply : nil })
        .delete(paths)
      try trial.expect(
        answers.allSatisfy { $0 == nil || $0?.isOutcomeUnknown == true }, "\(answers)")
      try trial.expect(answers.count { $0 != nil } <= (trial.settles ? 0 : 1), "\(answers)")
      try trial.expect(try await trial.list("many"), equals: [], "afterwards")
    },

    Law("24 the end of an object in parts whose answer is lost is ours") { trial in
      for isMade in [true, false] {
        let name = "parts-\(isMade)"
        // Where it goes in parts: the start, three parts, and then the end.
        let last = trial.settles ? 5 : 1
        let script = WriteScript { $0 != last ? nil : isMade ? .loseReply : .loseRequest }
        let chunks = [trial.chunk(6 << 20), trial.chunk(6 << 20)]
        let writer = try await trial.under.lossy(script).writer(to: trial.path(name), if: .absent)
        for chunk in chunks { try await writer.append(chunk) }
        let ending = await trial.ending { () throws(StorageError) in _ = try await writer.finish() }
        try trial.expect(ending, .done, orElse: .unknown)
        if isMade || trial.settles {
          try await trial.expectBytes(name, chunks)
        } else {
          try await trial.expectAbsent(name, "afterwards")
        }
        await writer.abort()
        try await trial.expectCreated(name, isMade || trial.settles)
      }
    },

    Law("25 the end of an object in parts that comes after another's changes nothing") { trial in
      let last = trial.settles ? 5 : 1
      let script = WriteScript { number in
        guard number == last else { return nil }
        try await trial.put("theirs", at: "object")
        return .hold
      }
      let writer = try await trial.under.lossy(script).writer(to: trial.path("object"), if: .absent)
      try await writer.append(trial.chunk(12 << 20))
      let ending = await trial.ending { () throws(StorageError) in _ = try await writer.finish() }
      try trial.expect(ending, .conditionFailed, orElse: .unknown)
      await script.releaseHeld()
      try await trial.expectText("object", "theirs", "afterwards")
      await writer.abort()
      try trial.expect(try await trial.list(), equals: ["object"], "leftovers")
    },
  ]
}

extension StoreTrial {
  /// True if the store finds out about lost answers itself.
  var settles: Bool { under.capabilities.contains(.settlesLostAnswers) }

  /// What the caller of a write is told.
  enum Ending: Equatable { case done, conditionFailed, unknown, refused }

  func ending(_ work: () async throws(StorageError) -> Void) async -> Ending {
    do throws(StorageError) {
      try await work()
      return .done
    } catch {
      return switch error {
      case .conditionFailed: .conditionFailed
      case .outcomeUnknown: .unknown
      default: .refused
      }
    }
  }

  /// Creates "mine" by a way on which `script` is played.
  func create(_ script: WriteScript, at name: String = "object") async throws -> Ending {
    let (path, lossy) = (try path(name), under.lossy(script))
    return await ending { () throws(StorageError) in
      _ = try await lossy.put(Buffer(utf8: "mine"), to: path, if: .absent)
    }
  }

  /// Replaces "old one", whose version is given back too.
  func replace(_ script: WriteScript) async throws -> (Ending, ObjectVersion) {
    let (path, lossy) = (try path("object"), under.lossy(script))
    let old = try await store.put(Buffer(utf8: "old one"), to: path, if: .absent)
    let ending = await ending { () throws(StorageError) in
      _ = try await lossy.put(Buffer(utf8: "mine"), to: path, if: .matches(old))
    }
    return (ending, old)
  }

  /// The one ending of a store that settles lost answers, the other of one that leaves it to us.
  func expect(_ ending: Ending, _ settled: Ending, orElse told: Ending) throws {
    try expect(ending, equals: settles ? settled : told, "ending")
  }

  /// The same create again, under the same condition, by a way that loses nothing: afterwards it is
  /// certain who won.
  func expectSettled(_ winner: String) async throws {
    let path = try path("object")
    do throws(StorageError) {
      _ = try await store.put(Buffer(utf8: "mine"), to: path, if: .absent)
    } catch .conditionFailed {
    }
    try await expectText("object", winner, "settled")
  }

  func expectCreated(_ name: String, _ isThere: Bool) async throws {
    let path = try path(name)
    let ending = await ending { () throws(StorageError) in
      _ = try await store.put(.empty, to: path, if: .absent)
    }
    try expect(ending, equals: isThere ? .conditionFailed : .done, "create of \(name)")
  }
}
