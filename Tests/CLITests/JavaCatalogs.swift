// SPDX-License-Identifier: Apache-2.0
import Foundation
import LakeTestSupport

/// REST catalogs by the number: one server for a run of the tests, which gives each warehouse a
/// catalog of its own, answered for by Iceberg's own handlers (Java).
enum JavaCatalogs {
  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  /// Where the server is, which is started by who asks first, and ends with this process. It has a
  /// folder of its own, which it removes then.
  static func uri() async throws -> String { try await started.value }

  private static let started = Task { try await start() }

  /// The server: it tells clients of a warehouse a prefix, as servers of many catalogs do, and hands
  /// what comes with it on to the catalog of that warehouse.
  private static let program = """
    import com.sun.net.httpserver.*;
    import java.io.*;
    import java.lang.reflect.*;
    import java.net.*;
    import java.nio.charset.StandardCharsets;
    import java.nio.file.*;
    import java.util.*;
    import java.util.concurrent.*;

    public class Catalogs {
      static final Map<String, String> prefixes = new HashMap<>();
      static final Map<String, Object> catalogs = new ConcurrentHashMap<>();
      static Constructor<?> make;
      static Method handle;

      public static void main(String[] arguments) throws Exception {
        ProcessHandle.current().parent().get().onExit().thenRun(() -> System.exit(0));
        Runtime.getRuntime().addShutdownHook(new Thread(Catalogs::cleanUp));
        Class<?> rest = Class.forName("LakeOracle$Rest");
        make = rest.getDeclaredConstructor(Map.class);
        handle = rest.getDeclaredMethod("handle", HttpExchange.class);
        make.setAccessible(true);
        handle.setAccessible(true);
        HttpServer s = HttpServer.create(
            new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 128);
        s.setExecutor(Executors.newFixedThreadPool(16));
        s.createContext("/v1/config", Catalogs::configure);
        s.createContext("/v1/", Catalogs::handOn);
        s.start();
        Path told = Path.of(arguments[0]);
        Files.writeString(Path.of(told + ".new"), "" + s.getAddress().getPort());
        Files.move(Path.of(told + ".new"), told, StandardCopyOption.ATOMIC_MOVE);
      }

      static void cleanUp() {
        try (var files = Files.walk(Path.of("").toAbsolutePath())) {
          files.sorted(Comparator.reverseOrder()).forEach(f -> f.toFile().delete());
        } catch (IOException e) {
          // What is left lies in a folder for temporary files.
        }
      }

      static void configure(HttpExchange x) throws IOException {
        int code = 200;
        String body;
        try {
          body = "{\\"defaults\\":{},\\"overrides\\":{\\"prefix\\":\\""
              + prefix(x.getRequestURI().getRawQuery()) + "\\"}}";
        } catch (Exception e) {
          code = 400;
          body = "{\\"error\\":{\\"code\\":400,\\"type\\":\\"BadRequestException\\","
              + "\\"message\\":\\"no catalog\\"}}";
        }
        byte[] out = body.getBytes(StandardCharsets.UTF_8);
        x.getResponseHeaders().set("Content-Type", "application/json");
        x.sendResponseHeaders(code, out.length);
        x.getResponseBody().write(out);
        x.close();
      }

      static synchronized String prefix(String query) throws Exception {
        String warehouse = null;
        for (String part : query.split("&"))
          if (part.startsWith("warehouse="))
            warehouse = URLDecoder.decode(part.substring(10), StandardCharsets.UTF_8);
        String known = prefixes.get(warehouse);
        if (known != null) return known;
        String prefix = "w" + prefixes.size();
        catalogs.put(prefix, make.newInstance(
            Map.of("warehouse", warehouse, "catalog", "temp")));
        prefixes.put(warehouse, prefix);
        return prefix;
      }

      static void handOn(HttpExchange x) throws IOException {
        String[] parts = x.getRequestURI().toASCIIString().split("/", 4);
        Object catalog = parts.length < 4 ? null : catalogs.get(parts[2]);
        if (catalog == null) {
          x.sendResponseHeaders(404, -1);
          x.close();
          return;
        }
        try {
          handle.invoke(catalog, new Shorter(x, URI.create("/v1/" + parts[3])));
        } catch (ReflectiveOperationException e) {
          throw new IOException(e);
        }
      }

      static class Shorter extends HttpExchange {
        final HttpExchange x;
        final URI uri;
        Shorter(HttpExchange x, URI uri) { this.x = x; this.uri = uri; }
        public URI getRequestURI() { return uri; }
        public Headers getRequestHeaders() { return x.getRequestHeaders(); }
        public Headers getResponseHeaders() { return x.getResponseHeaders(); }
        public String getRequestMethod() { return x.getRequestMethod(); }
        public HttpContext getHttpContext() { return x.getHttpContext(); }
        public void close() { x.close(); }
        public InputStream getRequestBody() { return x.getRequestBody(); }
        public OutputStream getResponseBody() { return x.getResponseBody(); }
        public void sendResponseHeaders(int code, long length) throws IOException {
          x.sendResponseHeaders(code, length);
        }
        public InetSocketAddress getRemoteAddress() { return x.getRemoteAddress(); }
        public int getResponseCode() { return x.getResponseCode(); }
        public InetSocketAddress getLocalAddress() { return x.getLocalAddress(); }
        public String getProtocol() { return x.getProtocol(); }
        public Object getAttribute(String name) { return x.getAttribute(name); }
        public void setAttribute(String name, Object value) { x.setAttribute(name, value); }
        public void setStreams(InputStream in, OutputStream out) { x.setStreams(in, out); }
        public HttpPrincipal getPrincipal() { return x.getPrincipal(); }
      }
    }
    """

  private static func start() async throws -> String {
    guard let tools = SiblingFolder.shared("oracles"), !Oracles.installed(of: ["java"]).isEmpty
    else { throw Failure(description: "LAKE_TEST_CATALOG=rest needs Java, which is not installed") }
    let folder = FileManager.default.temporaryDirectory.appending(path: "lake-catalogs-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try Data(program.utf8).write(to: folder.appending(path: "Catalogs.java"))
    let process = Process()
    process.executableURL = URL(filePath: "/bin/bash")
    process.currentDirectoryURL = folder
    let library = Workplace.quoted(tools.appending(path: "lib").path)
    process.arguments = [
      "-c",
      """
      set -e
      classes=$(\(library)/classpath "${LAKE_ORACLES:-$HOME/.cache/lake-oracles}")
      exec java -Xmx1g -XX:+UseSerialGC -Duser.timezone=UTC \
        -Djava.io.tmpdir="$PWD" --add-opens java.base/java.lang=ALL-UNNAMED \
        -Dlog4j2.configurationFile=\(library)/log4j2.properties -cp "$classes" Catalogs.java port \
        > log 2>&1 < /dev/null
      """,
    ]
    try process.run()
    let port = folder.appending(path: "port")
    for _ in 0..<600 {
      if let text = try? String(contentsOf: port, encoding: .utf8) {
        return "http://127.0.0.1:\(text)"
      }
      guard process.isRunning else { break }
      try await Task.sleep(for: .milliseconds(100))
    }
    if process.isRunning { process.terminate() }
    let log = try? String(contentsOf: folder.appending(path: "log"), encoding: .utf8)
    throw Failure(description: "the server of REST catalogs did not start: \(log ?? "")")
  }
}
