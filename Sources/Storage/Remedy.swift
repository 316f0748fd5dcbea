// SPDX-License-Identifier: Apache-2.0

/// What someone who meets an error can do about it.
///
/// Every error of the project answers `remedy`; retry loops and exit codes go by it, never by the
/// words of an error.
public enum Remedy: Hashable, Sendable {
  /// The same again may work: nothing was changed, and nothing asked for was wrong.
  case retry
  /// Someone else was first: start again from the newest state.
  case rebase
  /// What was asked for cannot work: ask for something else.
  case changeInput
  /// A person or a program has to look: something is broken, or no one can tell what happened.
  case inspect
}
