// SPDX-License-Identifier: Apache-2.0

extension ObjectPath {
  /// What a person at a shell means by `text`: a location, or a file path that may be relative to
  /// `workingDirectory` and have `.` and `..` in it.
  ///
  /// `..` takes back the component before it, whatever that is on the disk (as `cd -L` does); links
  /// are kept, as tables name their files by them. Text from metadata must not come here.
  ///
  /// - Throws: ``StorageError/invalidPath(_:reason:)``, also for a `..` above the root.
  public init(
    userText text: String, workingDirectory: ObjectPath
  ) throws(StorageError) {
    let head = text.utf8.prefix { $0 != UInt8(ascii: "/") }
    let isLocation = head.count < text.utf8.count && head.last == UInt8(ascii: ":")
    if isLocation {
      self = try ObjectPath(text)
      return
    }
    if text.isEmpty { throw .invalidPath(text, reason: "it is empty") }
    let isAbsolute = text.utf8.first == UInt8(ascii: "/")
    var place = isAbsolute ? .machineRoot : workingDirectory
    for component in text.utf8.split(separator: UInt8(ascii: "/")) {
      let name = String(Substring(component))
      switch name {
      case ".": continue
      case "..":
        guard let parent = place.parent else {
          throw .invalidPath(text, reason: "it leads above the root")
        }
        place = parent
      default: place = try place.appending(name)
      }
    }
    self = place
  }
}
