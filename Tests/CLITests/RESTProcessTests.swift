// SPDX-License-Identifier: Apache-2.0
import Foundation
import LakeTestSupport
import SeededNumbers
import Testing

/// Processes side by side on one REST catalog, between which and them answers get lost.
@Suite("Processes on a REST catalog")
struct RESTProcessTests {
  /// Where the server looks for its Java.
  private static let home = Workplace.quoted(
    FileManager.default.homeDirectoryForCurrentUser.path)

  /// Hands requests on to a server. Of some commits it loses the request, or the answer of one that
  /// was done, or tells of an error in its place. It ends by itself after an hour.
  private static let proxy = """
    import http.client, http.server, random, signal, socket, sys, threading
    host, port = sys.argv[1].split("//")[1].split(":")
    percent, seed, folder = float(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    signal.alarm(3600)
    chance, lock, lost = random.Random(seed), threading.Lock(), open(folder + "/lost", "w", buffering=1)
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        def log_message(self, *arguments): pass
        def answer(self):
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            fault = ""
            if self.command == "POST" and "/tables/" in self.path:
                with lock:
                    if chance.random() * 100 < percent:
                        fault = chance.choice(["before", "after", "after", "error"])
                        lost.write(fault + "\\n")
            if fault == "before":
                return self.hang_up()
            server = http.client.HTTPConnection(host, int(port), timeout=120)
            server.request(self.command, self.path, body, {
                name: value for name, value in self.headers.items() if name.lower() != "host"})
            reply = server.getresponse()
            status, data = reply.status, reply.read()
            kind = reply.getheader("content-type")
            server.close()
            if fault == "after":
                return self.hang_up()
            if fault == "error":
                status, data, kind = 502, b"lost on the way", "text/plain"
            self.send_response(status)
            if kind: self.send_header("content-type", kind)
            if status != 204: self.send_header("content-length", str(len(data)))
            self.end_headers()
            if self.command != "HEAD": self.wfile.write(data)
        def hang_up(self):
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        do_GET = do_POST = do_DELETE = do_HEAD = answer
    class Server(http.server.ThreadingHTTPServer):
        request_queue_size = 128
        daemon_threads = True
    server = Server(("127.0.0.1", 0), Handler)
    with open(folder + "/port.new", "w") as file: file.write(str(server.server_port))
    import os; os.rename(folder + "/port.new", folder + "/port")
    server.serve_forever()
    """

  /// Each of 8 processes appends one row at a time, 8 × 100 rows with `LAKE_DEPTH=long`.
  @Test
  func `A2 B3: eight processes lose and double nothing where one answer in twenty is lost`()
    async throws
  {
    guard let tools = SiblingFolder.shared("oracles/rest"),
      !Oracles.installed(of: ["java"]).isEmpty, let python = Oracles.python(of: "pyiceberg")
    else { return print("skipped, 1 test: no Java for: processes on a REST catalog") }
    let random = SeededRandom(printing: "processes on a REST catalog")
    let place = try Workplace(ownCatalog: true)
    let server = Workplace.quoted(tools.path)
    let run = place.folder.appending(path: "run").path
    let script = try place.write("proxy.py", Self.proxy)
    let started = try await place.shell(
      """
      export HOME=\(Self.home) LAKE_RUN=\(run)
      uri=$(\(server) start \(place.folder.path)/warehouse | grep -o 'http://127.0.0.1:[0-9]*' | head -1)
      \(python.path) \(script) "$uri" \(Depth.isLong ? 5 : 25) \(random.int(in: 0..<1 << 30)) . \
        > proxy.log 2>&1 < /dev/null &
      echo $! > proxy.pid
      for i in $(seq 100); do [ -e port ] && exit 0; sleep 0.1; done; exit 1
      """)
    do {
      guard started.status == 0 else { throw Unexpected(started) }
      try await check(place)
    } catch {
      await stop(place, server, run)
      throw error
    }
    await stop(place, server, run)
  }

  private func stop(_ place: Workplace, _ server: String, _ run: String) async {
    _ = try? await place.shell(
      "kill $(cat proxy.pid); HOME=\(Self.home) LAKE_RUN=\(run) \(server) stop")
  }

  private func check(_ place: Workplace) async throws {
    let appends = Depth.isLong ? 100 : 3
    let port = try String(contentsOf: place.folder.appending(path: "port"), encoding: .utf8)
    try place.write(
      "lake.yaml",
      """
      catalog:
        dev:
          type: rest
          uri: http://127.0.0.1:\(port)
          warehouse: \(place.folder.path)/warehouse

      """)
    let created = try await place.shell(
      "lake --catalog dev namespace create b && lake --catalog dev create b.t --schema 'row string'"
    )
    guard created.status == 0 else { throw Unexpected(created) }
    let script = """
      for n in $(seq \(appends)); do
        row="writer $1 commit $n"
        echo "{\\"row\\":\\"$row\\"}" | "$LAKE_BINARY" append b.t - --input-format jsonl \
          --catalog dev > out-$1-$n 2>&1
        echo "$?|$row"
      done
      """
    let outcomes = try await place.eightScripts(script)
    let expected = (0..<8).flatMap { w in (1...appends).map { "writer \(w) commit \($0)" } }
    let lines = outcomes.flatMap(\.lines).map(String.init)
    #expect(lines.sorted() == expected.map { "0|\($0)" }.sorted(), "each ends well")
    let lost = try String(contentsOf: place.folder.appending(path: "lost"), encoding: .utf8)
      .split(separator: "\n")
    print("8 × \(appends) appends, lost: \(Dictionary(grouping: lost) { $0 }.mapValues(\.count))")

    let rows = try await place.lake("scan", "b.t", "--catalog", "dev").rows
      .compactMap { $0["row"] as? String }
    #expect(rows.sorted() == expected.sorted())
    let snapshots = try await place.linearHistory("b.t", ["--catalog", "dev"])
    #expect(snapshots.count == rows.count)
    #expect(try await place.lake("verify", "b.t", "--catalog", "dev").status == 0)
  }
}
