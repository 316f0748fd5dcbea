// SPDX-License-Identifier: Apache-2.0

// The structures of Arrow's C data interface, laid out as C has them: fields of eight bytes each.
// A callback's pointer to its own structure is untyped here, as a C function type in Swift can't
// name a Swift structure; that changes nothing in how it is called.
// Source: Arrow C data interface, "Structure definitions"; Arrow C stream interface.

/// `struct ArrowSchema`: a type, its name and metadata.
@unsafe
struct CSchema {
  typealias Release = @convention(c) (UnsafeMutableRawPointer?) -> Void

  var format: UnsafePointer<CChar>?
  var name: UnsafePointer<CChar>?
  var metadata: UnsafePointer<CChar>?
  var flags: Int64 = 0
  var childCount: Int64 = 0
  var children: UnsafeMutablePointer<UnsafeMutablePointer<CSchema>?>?
  var dictionary: UnsafeMutablePointer<CSchema>?
  var release: Release?
  var privateData: UnsafeMutableRawPointer?

  static let nullableFlag: Int64 = 2
}

/// `struct ArrowArray`: buffers and children of some rows.
@unsafe
struct CArray {
  typealias Release = @convention(c) (UnsafeMutableRawPointer?) -> Void

  var length: Int64 = 0
  var nullCount: Int64 = 0
  var offset: Int64 = 0
  var bufferCount: Int64 = 0
  var childCount: Int64 = 0
  var buffers: UnsafeMutablePointer<UnsafeRawPointer?>?
  var children: UnsafeMutablePointer<UnsafeMutablePointer<CArray>?>?
  var dictionary: UnsafeMutablePointer<CArray>?
  var release: Release?
  var privateData: UnsafeMutableRawPointer?
}

/// `struct ArrowArrayStream`: a schema, and arrays one after the other.
@unsafe
struct CStream {
  typealias Get =
    @convention(c) (UnsafeMutableRawPointer?, UnsafeMutableRawPointer?) -> Int32
  typealias LastError = @convention(c) (UnsafeMutableRawPointer?) -> UnsafePointer<CChar>?
  typealias Release = @convention(c) (UnsafeMutableRawPointer?) -> Void

  var getSchema: Get?
  var getNext: Get?
  var getLastError: LastError?
  var release: Release?
  var privateData: UnsafeMutableRawPointer?
}
