// SPDX-License-Identifier: Apache-2.0
public import Catalogs
internal import Iceberg
public import Storage

/// Registers Parquet files that are there already as data files of a table, not copied.
///
/// A file without field ids has its columns found by name, through the table's name mapping
/// (`schema.name-mapping.default`), which is set to the names the columns have if there is none.
///
/// Law: a file that is part of the branch already is refused, and none is added then.
public struct AddFiles: TableChange {
  public let paths: [ObjectPath]
  public let branch: String

  public init(_ paths: [ObjectPath], branch: String = "main") {
    self.paths = paths
    self.branch = branch
  }

  public func plan(
    onto base: Table, attempt: CommitAttempt
  ) async throws(CommitError) -> ChangePlan {
    var seen: Set<String> = []
    for path in paths where !seen.insert(path.text).inserted {
      throw .rejected(.duplicate("'\(path.text)'", in: "the files to add"))
    }
    try await refuseKnown(seen, base)
    let (mapping, isNew) = try mapping(base)
    let adoption = try FileAdoption(base, mapping: mapping)
    let files = try await mapConcurrently(paths, limit: 8) { path throws(CommitError) in
      try await adoption.adopt(path)
    }
    let append = try AppendFiles(files, branch: branch)
    guard isNew else { return try await append.plan(onto: base, attempt: attempt) }
    let naming = PropertyChange(set: [NameMapping.propertyName: mapping.jsonText])
    return try await Transaction([naming, append]).plan(onto: base, attempt: attempt)
  }

  private func mapping(_ base: Table) throws(CommitError) -> (NameMapping, isNew: Bool) {
    do throws(IcebergError) {
      if let mapping = try base.metadata.nameMapping() { return (mapping, false) }
      return (NameMapping(of: base.metadata.currentSchema), true)
    } catch {
      throw .rejected(error)
    }
  }

  private func refuseKnown(_ paths: Set<String>, _ base: Table) async throws(CommitError) {
    let head = try base.head(of: branch)
    let manifests = try await base.manifestList(of: head)?.manifests ?? []
    let files = ManifestFiles(base)
    for manifest in manifests where manifest.content == .data && manifest.mayHaveLiveFiles {
      do throws(CatalogError) {
        for entry in try await files.entries(of: manifest, .liveFiles)
        where paths.contains(entry.file.path) {
          throw CatalogError.rejected(
            .duplicate("'\(entry.file.path)'", in: "the table: it is one of its files already"))
        }
      } catch {
        throw .catalog(error)
      }
    }
  }
}
