// SPDX-License-Identifier: Apache-2.0
internal import Bytes
internal import Network
public import Storage
internal import XML

extension S3Store {
  /// Makes each of `paths` absent, or tells why not.
  ///
  /// Cost: one request for each thousand of a bucket; where the server takes no lists, one a path.
  public func delete(_ paths: [ObjectPath]) async -> [StorageError?] {
    var answers = [StorageError?](repeating: nil, count: paths.count)
    var buckets: [String: [Int]] = [:]
    for (index, path) in paths.enumerated() {
      do throws(StorageError) {
        try checkKey(path)
        buckets[path.bucket, default: []].append(index)
      } catch {
        answers[index] = error
      }
    }
    var batches: [[Int]] = []
    for indices in buckets.sorted(by: { $0.key < $1.key }).map(\.value) {
      for start in stride(from: 0, to: indices.count, by: 1000) {
        batches.append(Array(indices[start..<min(start + 1000, indices.count)]))
      }
    }
    let results = await mapConcurrently(batches, limit: 4) { batch in
      await deleteBatch(batch.map { paths[$0] })
    }
    for (batch, result) in zip(batches, results) {
      for (index, answer) in zip(batch, result) { answers[index] = answer }
    }
    return answers
  }

  /// At most a thousand objects of one bucket.
  private func deleteBatch(_ paths: [ObjectPath]) async -> [StorageError?] {
    guard let first = paths.first, paths.count > 1 else { return await deleteEach(paths) }
    var call = S3Call(.deleteMany, .post, first)
    call.key = nil
    call.query = [(name: "delete", value: "")]
    var document = "<Delete><Quiet>true</Quiet>"
    for path in paths {
      document += "<Object><Key>\(XMLText.escaped(path.key ?? ""))</Key></Object>"
    }
    call.body = Buffer(utf8: document + "</Delete>")
    call.headers = [
      (name: "content-type", value: "application/xml"),
      (name: "content-md5", value: MD5Hash.base64(of: call.body)),
    ]
    call.canFailLate = true
    do throws(S3Failure) {
      return answers(try await client.send(call), paths)
    } catch {
      // Some servers take no lists of what to delete.
      if error.effect == .none, [400, 403, 404, 405, 411, 501].contains(error.status) {
        return await deleteEach(paths)
      }
      return paths.map { error.storageError(call.verb.rawValue, $0, isWrite: true) }
    }
  }

  private func deleteEach(_ paths: [ObjectPath]) async -> [StorageError?] {
    await mapConcurrently(paths, limit: 16) { path async throws(Never) -> StorageError? in
      do throws(StorageError) {
        try await delete(path)
        return nil
      } catch {
        return error
      }
    }
  }

  /// What the reply says of each path: where it says nothing, the object is gone.
  private func answers(_ response: HTTPResponse, _ paths: [ObjectPath]) -> [StorageError?] {
    guard let root = try? XMLReader.read(response.body), root.name == "DeleteResult" else {
      return paths.map {
        .outcomeUnknown(
          Self.malformed(.deleteMany, $0, "no list of what was deleted"), path: $0)
      }
    }
    // By bytes: keys that differ in how letters are composed are two.
    var problems: [[UInt8]: S3Failure] = [:]
    for element in root.all("Error") {
      guard let key = element.text(of: "Key") else { continue }
      let code = element.text(of: "Code") ?? ""
      if code == "NoSuchKey" { continue }
      problems[Array(key.utf8)] = S3Failure(ofOne: code, element.text(of: "Message") ?? "")
    }
    return paths.map { path in
      problems[Array((path.key ?? "").utf8)]?
        .storageError(S3Call.Verb.deleteMany.rawValue, path, isWrite: true)
    }
  }
}
