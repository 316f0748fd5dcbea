// SPDX-License-Identifier: Apache-2.0
package import Iceberg
package import Storage

/// Finds out for readers of a table which files have the rows they ask for: a catalog that plans
/// scans itself, and wants to be asked.
///
/// Law: a file that has a row that is asked for is named, with every delete file that deletes rows
/// of it. Files may be named that have none: rows are filtered where they are read.
package protocol ScanPlanning: Sendable {
  /// Nil if the table is to be planned from its metadata all the same.
  ///
  /// - Parameter table: whose rows are asked for, in the state the question names.
  func plan(
    _ question: PlanQuestion, of table: Table
  ) async throws(CatalogError) -> PlannedFiles?
}

/// Which rows a reader asks for.
package struct PlanQuestion: Sendable {
  package let snapshotID: SnapshotID
  /// What the columns are named by.
  package let schema: Schema
  /// True if that is the schema the snapshot was written with, and not the table's.
  package let isSnapshotSchema: Bool
  /// The columns that are read; nil: all.
  package let columns: [String]?
  /// It may ask about fields that ``schema`` has not, which the reader alone knows.
  package let filter: BoundPredicate

  package init(
    snapshotID: SnapshotID, schema: Schema, isSnapshotSchema: Bool, columns: [String]?,
    filter: BoundPredicate
  ) {
    self.snapshotID = snapshotID
    self.schema = schema
    self.isSnapshotSchema = isSnapshotSchema
    self.columns = columns
    self.filter = filter
  }
}

/// The files that a reader has to read, as a catalog tells of them.
package struct PlannedFiles: Sendable {
  /// A data file, and which of ``PlannedFiles/deletes`` delete rows of it: these, and no others.
  package struct Task: Sendable {
    package let file: DataFile
    /// How old its rows are; nil if the catalog does not tell.
    package let sequenceNumber: SequenceNumber?
    package let deletes: [Int]

    package init(file: DataFile, sequenceNumber: SequenceNumber?, deletes: [Int]) {
      self.file = file
      self.sequenceNumber = sequenceNumber
      self.deletes = deletes
    }
  }

  /// Each data file once; of deletes only what is there.
  package let tasks: [Task]
  /// Each delete file once.
  package let deletes: [DataFile]
  /// Where the files are read, if the catalog hands out keys for these alone.
  package let store: (any ObjectStore)?

  package init(tasks: [Task], deletes: [DataFile], store: (any ObjectStore)?) {
    self.tasks = tasks
    self.deletes = deletes
    self.store = store
  }
}

extension Table {
  /// The same state, with its scans planned by `planner`.
  package func planned(by planner: (any ScanPlanning)?) -> Table {
    var table = self
    table.planner = planner
    return table
  }

  /// The same state, whose files are read in `store`.
  package func reading(in store: any ObjectStore) -> Table {
    Table(
      name: name, metadata: metadata, metadataLocation: metadataLocation, store: store,
      environment: environment, home: home, manifestCache: manifestCache
    ).observed(by: observer)
  }
}
