// SPDX-License-Identifier: Apache-2.0
internal import Lake
internal import SQLiteCatalog

/// The checks of `lake doctor`, from the configuration down to the store; what a failed one makes
/// senseless is left out.
struct Examination {
  private(set) var checks: [DoctorCheck] = []

  mutating func note(
    _ name: String, _ result: DoctorCheck.Result, _ finding: String, fix: String? = nil
  ) {
    let line = finding.split(separator: "\n").joined(separator: " ")
    checks.append(DoctorCheck(name: name, result: result, finding: line, fix: fix))
  }

  mutating func note(_ name: String, failed error: any Error) {
    note(name, .failed, "\(error)", fix: Remedies.of(error))
  }

  mutating func examine(_ options: CatalogOptions) async {
    if let name = options.catalogName {
      guard let entry = await configuration(of: name) else { return }
      await examine(entry, options)
    } else {
      note("configuration", .ok, "none is needed for a warehouse")
      let text = options.warehouse ?? ProcessEnvironment["LAKE_WAREHOUSE"] ?? "./warehouse"
      do {
        let warehouse = try Location.absolute(text)
        let catalog = try await options.open()
        await reach(catalog)
        await examine(warehouse, in: try await Stores.reaching(warehouse), needsConditions: true)
      } catch {
        note("catalog", failed: error)
      }
    }
  }

  // MARK: configuration

  private mutating func configuration(of name: String) async -> CatalogConfiguration? {
    let configuration: Configuration
    do {
      configuration = try await Configuration.load()
    } catch {
      note(
        "configuration", .failed, "\(error)",
        fix: "write lake.yaml with 'catalog: {\(name): {type: …, warehouse: …}}', or name the file "
          + "by $LAKE_CONFIG")
      return nil
    }
    note("configuration", .ok, configuration.path)
    do {
      let entry = try configuration.catalog(named: name)
      secrets(of: entry)
      for key in entry.properties.keys.sorted() where !KnownProperties.contains(key) {
        note(
          "property \(key)", .warning, "lake knows no such property",
          fix: "see that it is spelled as Iceberg has it")
      }
      return entry
    } catch {
      note("catalog", .failed, "\(error)", fix: "name one of these with --catalog")
      return nil
    }
  }

  private mutating func secrets(of entry: CatalogConfiguration) {
    guard entry.properties.keys.contains(where: KnownProperties.isSecret),
      let file = try? ObjectPath(entry.file), let mode = FileMode.of(file), mode & 0o077 != 0
    else { return }
    note(
      "secrets", .warning, "others can read \(entry.file), which has keys or passwords in it",
      fix: "chmod 600 \(entry.file), or write ${NAME} and set it in the environment")
  }

  // MARK: catalog

  private mutating func examine(
    _ entry: CatalogConfiguration, _ options: CatalogOptions
  ) async {
    let catalog: any Catalog
    do {
      catalog = try await entry.open(allowing: try options.allowed())
    } catch {
      note("catalog", failed: error)
      return
    }
    note("catalog", .ok, "\(entry.name), of type \(entry.type)")
    if let catalog = catalog as? SQLiteCatalog { await examine(catalog, entry) }
    await reach(catalog)
    let isREST = entry.type == "rest"
    guard let text = entry.properties["warehouse"], !isREST else {
      return note(
        "warehouse", .skipped,
        isREST ? "the catalog's server says where tables are" : "the catalog has none")
    }
    do {
      let warehouse = try Location.absolute(text)
      await examine(
        warehouse, in: try await Stores.reaching(warehouse, entry.properties),
        needsConditions: !(catalog is SQLiteCatalog))
    } catch {
      note("warehouse", failed: error)
    }
  }

  private mutating func reach(_ catalog: any Catalog) async {
    do {
      let count = try await catalog.listNamespaces(in: []).count
      note("reachability", .ok, "\(count) namespaces at the root")
    } catch {
      note("reachability", failed: error)
    }
  }

  private mutating func examine(_ catalog: SQLiteCatalog, _ entry: CatalogConfiguration) async {
    let inspection: SQLiteInspection?
    do {
      inspection = try await catalog.inspect()
    } catch {
      note("catalog file", failed: error)
      return
    }
    guard let inspection else {
      return absentFile(catalog.file)
    }
    let version = inspection.schemaVersion.map { "version \($0)" } ?? "empty"
    note(
      "catalog file", .ok,
      "\(catalog.file): \(version), \(inspection.rowCount) tables and views, "
        + "journal mode \(inspection.journalMode)")
    if let problem = inspection.problems.first {
      note(
        "integrity", .failed, "\(inspection.problems.count) problems, the first: \(problem)",
        fix: "restore a copy, or make a new file and register the tables by their newest metadata "
          + "(lake register)")
    } else {
      note("integrity", .ok, "SQLite finds the file sound")
    }
    if inspection.unusableRowCount > 0 {
      note(
        "tables", .warning,
        "\(inspection.unusableRowCount) of \(inspection.rowCount) have a name or place that lake "
          + "does not open",
        fix: "name their places in allow-locations, or rename them with the program that made them")
    }
    if let mode = FileMode.of(catalog.file), mode & 0o022 != 0 {
      note(
        "permissions", .warning, "others can write \(catalog.file)",
        fix: "chmod go-w \(catalog.file.path)")
    }
  }

  private mutating func absentFile(_ file: ObjectPath) {
    guard let folder = file.parent, FileMode.of(folder) != nil else {
      return note(
        "catalog file", .failed, "there is no folder for \(file)",
        fix: "make it, or correct the uri (an absolute path has four slashes: sqlite:////…)")
    }
    note("catalog file", .ok, "\(file) is not there yet; the first table or namespace makes it")
  }

  // MARK: store

  /// - Parameter needsConditions: whether commits are conditional writes here.
  private mutating func examine(
    _ warehouse: ObjectPath, in store: any ObjectStore, needsConditions: Bool
  ) async {
    let mode = warehouse.scheme == "file" ? FileMode.of(warehouse) : nil
    if let mode, mode & 0o1002 == 0o002 {
      note(
        "permissions", .warning, "everyone can write \(warehouse)",
        fix: "chmod o-w \(warehouse.path)")
    }
    let findings = await WarehouseProbe(warehouse, in: store, environment: .system).run()
    // A folder that only the probe made goes with it.
    if warehouse.scheme == "file", mode == nil { FileMode.removeEmptyFolder(warehouse) }
    for finding in findings {
      let name = finding.step.rawValue
      guard let problem = finding.problem else {
        note(name, .ok, "\(warehouse)")
        continue
      }
      let isNeeded = finding.step != .conditionalWrites || needsConditions
      let (words, fix) = Remedies.of(problem, of: finding.step)
      note(
        name, isNeeded ? .failed : .warning,
        words + (isNeeded ? "" : "; this catalog needs them not"), fix: fix)
    }
  }
}
