// SPDX-License-Identifier: Apache-2.0
import Bytes
import LakeTestSupport
import Network
import Storage
import Synchronization

/// Variables, files, a network and a clock that a test writes down.
final class FakeMachine: Sendable {
  let clock = TestClock()
  let transport: ScriptedTransport
  private let state: Mutex<(variables: [String: String], files: [String: String])>

  init(
    variables: [String: String] = [:], files: [String: String] = [:],
    network: @escaping ScriptedTransport.Handler = { _ in
      throw HTTPTransportError.notConnected(reason: "there is no network")
    }
  ) {
    state = Mutex((variables, files))
    transport = ScriptedTransport(network)
  }

  func set(file: String, to text: String?) { state.withLock { $0.files[file] = text } }

  func context(_ properties: [String: String] = [:]) -> CredentialsContext {
    CredentialsContext(
      properties: properties,
      variable: { name in self.state.withLock { $0.variables[name] } },
      readFile: { path in self.state.withLock { $0.files[path] }.map { Array($0.utf8) } },
      transport: transport, environment: .deterministic(seed: 1, clock: clock))
  }

  /// What the chain finds.
  func find(
    _ properties: [String: String] = [:]
  ) async -> Result<AWSCredentials, CredentialsError> {
    do throws(CredentialsError) {
      return .success(try await RefreshingCredentials.chain(context(properties)).credentials())
    } catch {
      return .failure(error)
    }
  }
}

extension Result<AWSCredentials, CredentialsError> {
  var error: CredentialsError? {
    if case .failure(let error) = self { error } else { nil }
  }

  /// Which credentials were found.
  var id: String? { (try? get())?.accessKeyID }
}
