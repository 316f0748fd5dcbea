// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Lake

/// Numbers of bytes as options have them: 128MB.
enum ByteSize {
  /// Nil where the option was not given.
  static func parse(_ text: String?, _ option: String) throws -> Int64? {
    guard let text else { return nil }
    guard let size = MaintenancePolicy.byteCount(text) else {
      throw ValidationError("Expected \(option) as 128MB, found '\(text)'.")
    }
    return size
  }

  /// As ``parse(_:_:)``, for memory: with less than a megabyte nothing gets anywhere.
  static func memory(_ text: String?) throws -> Int? {
    guard let size = try parse(text, "--memory") else { return nil }
    guard size >= 1 << 20 else {
      throw ValidationError("--memory is from 1MB on, found '\(text ?? "")'.")
    }
    return Int(clamping: size)
  }
}
