// SPDX-License-Identifier: Apache-2.0
import Foundation

extension Oracles {
  /// A table that engines are asked about, and a file of the canonical rows it has.
  public struct Question: Codable, Sendable {
    public let target: String
    public let expected: String

    public init(_ folder: URL, expected: URL) {
      target = folder.path
      self.expected = expected.path
    }
  }

  /// What `engine` read of each table, compared with what is expected: as ``compare(_:_:expected:)``,
  /// but that one process of the engine reads all of them.
  ///
  /// Of an engine that crashes the next table is asked of a new process, and a table that it failed
  /// on of one more.
  public static func compare(_ questions: [Question], _ engine: String) throws -> [Answer] {
    guard let library, !questions.isEmpty else { return [] }
    let folder = FileManager.default.temporaryDirectory.appending(path: "lake-asked-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try script.write(to: folder.appending(path: "ask.py"), atomically: true, encoding: .utf8)
    try JSONEncoder().encode(questions).write(to: folder.appending(path: "jobs.json"))
    let python = URL(filePath: "/usr/bin/env")
    try run(
      python, ["python3", "-B", folder.appending(path: "ask.py").path, library.path, engine])
    let text = try String(contentsOf: folder.appending(path: "answers.txt"), encoding: .utf8)
    return text.split(separator: "\n").map { line in
      Answer(engine: engine, agrees: line.hasPrefix("ok "), text: "\(engine): \(line)")
    }
  }

  /// Writes `answers.txt` beside itself: a line for each table, "ok", "differs" or "error" first.
  private static let script = #"""
    import json, os, subprocess, sys
    lib, engine = sys.argv[1:3]
    sys.path.insert(0, lib)
    import canon, common
    here = os.path.dirname(os.path.abspath(__file__))
    jobs = json.load(open(here + "/jobs.json"))
    got = []

    def java():
        outs = [f"{here}/{i}.jsonl" for i in range(len(jobs))]
        with open(here + "/java.jobs", "w") as f:
            for job, out in zip(jobs, outs):
                f.write(json.dumps({"metadata": canon.find_metadata(job["target"]), "snapshot": 0, "lineage": False, "out": out}) + "\n")
        p = subprocess.run(common.java("batch", here + "/java.jobs"), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        for out in outs:
            if os.path.exists(out):
                lines = canon.read_rows(out)
                got.append({"rows": len(lines), "digest": canon.digest(lines)})
            else:
                got.append({"error": p.stderr[-300:]})

    def others():
        while len(got) < len(jobs):
            rest = [{"target": j["target"]} for j in jobs[len(got):]]
            json.dump(rest, open(here + "/rest.json", "w"))
            out = here + "/out.jsonl"
            if os.path.exists(out):
                os.unlink(out)
            p = subprocess.run(
                [common.python_of(engine), os.path.join(lib, "engines.py"), engine, "--jobs", here + "/rest.json", "--out", out],
                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            if os.path.exists(out):
                got.extend(json.loads(x) for x in open(out))
            if len(got) < len(jobs):
                got.append({"error": f"crashed ({p.returncode}): {p.stderr[-300:]}"})

    # What fails among others is asked again alone, for its own words; it may be right then.
    def again(job):
        out = here + "/again.jsonl"
        p = subprocess.run(
            [common.python_of(engine), os.path.join(lib, "engines.py"), engine, job["target"], "--out", out],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if p.returncode == 0:
            lines = canon.read_rows(out)
            return {"rows": len(lines), "digest": canon.digest(lines)}
        told = [x.strip() for x in (p.stderr + p.stdout).splitlines() if "Exception" in x or "Error" in x]
        return {"error": "; ".join(dict.fromkeys(x for x in told if not x.startswith("at ")))[:1500]}

    if engine == "java":
        java()
    else:
        others()
        got = [again(job) if "error" in answer else answer for job, answer in zip(jobs, got)]
    with open(here + "/answers.txt", "w") as f:
        for job, answer in zip(jobs, got):
            want = canon.read_rows(job["expected"])
            if "error" in answer:
                line = "error: " + " ".join(answer["error"].split())
            elif answer["digest"] == canon.digest(want):
                line = f"ok {len(want)} rows"
            else:
                line = f"differs: {answer['rows']} rows, expected {len(want)}"
            f.write(line + "\n")
    """#
}
