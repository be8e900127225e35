import CStarlingShims
import Glibc
import StarlingCore
import StarlingOverlay

/// A policy whose lists can be read again while the node runs: the node's parts have copies of it, and all of them
/// see what is in force.
///
/// Confined to the thread that runs the node, once that has begun.
final class ReplaceablePolicy: AdmissionPolicy, @unchecked Sendable {
  private var current: any AdmissionPolicy

  init(_ policy: any AdmissionPolicy) { current = policy }

  func refusal(of key: PublicKey) -> AdmissionRefusal? { current.refusal(of: key) }

  func refusal(of introduction: Introduction, at now: Instant) -> AdmissionRefusal? {
    current.refusal(of: introduction, at: now)
  }

  /// Puts another policy in force.
  ///
  /// - Throws: ``HostError`` when that would keep the node's own key out.
  func replace(by policy: any AdmissionPolicy, keeping own: PublicKey) throws(HostError) {
    if let refusal = policy.refusal(of: own) {
      throw HostError("This node may not be in its own network: \(refusal).")
    }
    current = policy
  }
}

/// Makes a policy from a user's rules, reading the lists of keys that they name.
enum AdmissionFiles {
  /// More than any list needs: 600,000 keys with comments. A guess.
  private static let byteLimit = 64 << 20

  /// The policy that follows from rules.
  ///
  /// - Throws: ``HostError`` when a list cannot be read, or has a wrong line.
  static func policy(of rules: [AdmissionRule]) throws(HostError) -> any AdmissionPolicy {
    do {
      return try AdmissionRule.policy(of: rules) { try read($0) }
    } catch let error as HostError {
      throw error
    } catch {
      throw HostError("\(error)")
    }
  }

  /// The same, in a form that can be replaced if there are lists that may change.
  static func replaceablePolicy(of rules: [AdmissionRule]) throws(HostError) -> ReplaceablePolicy? {
    let hasLists = rules.contains { rule in
      if case .keys = rule { true } else { false }
    }
    return hasLists ? ReplaceablePolicy(try policy(of: rules)) : nil
  }

  static func read(_ path: String, what: String = "The list of keys") throws(HostError) -> String {
    let failure = "\(what) \"\(path)\" could not be read"
    let file = try FileDescriptor(starling_open(path, O_RDONLY, 0), orThrow: failure)
    var contents: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = Glibc.read(file.number, &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw HostError(failure, errno: errno) }
      if count == 0 { return String(decoding: contents, as: UTF8.self) }
      contents += buffer[..<count]
      guard contents.count <= byteLimit else {
        throw HostError("\(failure): it has more than \(byteLimit) bytes.")
      }
    }
  }
}
