import Inputs
import Storage
import Columnar
import Glibc
@main struct Main {
  static func main() async throws {
    let a = CommandLine.arguments
    var best = 1e9, wall = 1e9
    var rows = 0
    for _ in 0..<(a.count > 2 ? Int(a[2])! : 5) {
      rows = 0
      let start = cpu(), w = ContinuousClock.now
      let r = try await InputReader.open(try ObjectPath(a[1]), in: LocalStore(durability: .unsynced))
      while let b = try await r.next() { rows += b.rowCount }
      best = min(best, cpu() - start)
      let e = w.duration(to: .now).components
      wall = min(wall, Double(e.seconds) + Double(e.attoseconds) * 1e-18)
    }
    print(a[1], rows, "cpu", best, "wall", wall)
  }
  static func cpu() -> Double {
    var u = rusage(); getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &u)
    return Double(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + Double(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1e-6
  }
}
