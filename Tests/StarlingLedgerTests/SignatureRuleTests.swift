import Foundation
import StarlingCore
import StarlingTestSupport
import Testing

@testable import StarlingLedger

/// A signature on which implementations disagree, and what is peculiar about it.
struct EdgeCase: Sendable, CustomTestStringConvertible {
  let number: Int
  let key: PublicKey
  let signature: Ed25519Signature
  let message: [UInt8]
  /// The letters of the file.
  let flags: Set<Character>

  /// What the written rule says: the key and R are of large order and in canonical form, and the equation holds without
  /// its cofactor. Components of small order in either do no harm as long as they leave nothing over.
  var isToBeAccepted: Bool { flags.isSubset(of: ["p", "q"]) }

  var testDescription: String { "\(number) \(String(flags.sorted()))" }

  /// All of them: C2SP/CCTV, ed25519.
  static let all: [EdgeCase] = {
    let file = URL(filePath: #filePath).deletingLastPathComponent().appending(
      path: "Vectors/ed25519-edge-cases.txt")
    guard let text = try? String(contentsOf: file, encoding: .utf8) else { return [] }
    var parts: [Substring: [[UInt8]]] = [:]
    var cases: [EdgeCase] = []
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ")
      if words.count == 2, let value = bytes(hexadecimal: words[1].utf8) {
        parts[words[0], default: []].append(value)
      }
      guard words.count == 6, words[0] == "case", let key = Int(words[1]), let r = Int(words[2]),
        let s = Int(words[3]),
        let key = PublicKey(parts["key", default: []][key]),
        let signature = Ed25519Signature(parts["r", default: []][r] + parts["s", default: []][s])
      else { continue }
      cases.append(
        EdgeCase(
          number: cases.count, key: key, signature: signature,
          message: Array(("ed25519vectors" + (words[4] == "-" ? "" : " " + words[4])).utf8),
          flags: Set(words[5]).subtracting("-")))
    }
    return cases
  }()
}

@Suite("One rule for signatures") struct SignatureRuleTests {
  @Test("Every signature on which implementations disagree is accepted or refused as the rule says")
  func edgeCases() {
    #expect(SignatureRule.isKept, "\(SignatureRule.warning)")
    #expect(EdgeCase.all.count == 914)
    #expect(EdgeCase.all.count(where: \.isToBeAccepted) == 43)
    for edge in EdgeCase.all {
      #expect(
        edge.key.verifies(edge.signature, of: edge.message) == edge.isToBeAccepted, "\(edge.testDescription)")
    }
  }

  /// The order of the group, little-endian (RFC 8032, section 5.1).
  private static let order: [UInt8] =
    bytes(hexadecimal: "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010".utf8) ?? []

  @Test("S has one form: with the group's order added it verifies nothing")
  func canonicalS() throws {
    for number in UInt8(0)..<16 {
      let owner = try Identity(seed: [UInt8](repeating: number, count: 32))
      let message = Array("message \(number)".utf8)
      let good = owner.sign(message)
      #expect(owner.publicKey.verifies(good, of: message))
      var bytes = good.bytes
      var carry = 0
      for i in 0..<32 {
        carry += Int(bytes[32 + i]) + Int(SignatureRuleTests.order[i])
        bytes[32 + i] = UInt8(truncatingIfNeeded: carry)
        carry >>= 8
      }
      #expect(carry == 0)
      let other = try #require(Ed25519Signature(bytes))
      #expect(!owner.publicKey.verifies(other, of: message))
    }
  }

  /// A key and a signature that say nothing hold for every message where the rule is laxer: the identity as key and R, S = 0.
  private static let forgeries: [(key: PublicKey, signature: Ed25519Signature)] = {
    var keys: Set<PublicKey> = []
    // The points of small order among the vectors, in canonical form and not.
    for edge in EdgeCase.all where edge.flags.contains("a") { keys.insert(edge.key) }
    return keys.sorted().compactMap { key in
      Ed25519Signature(key.bytes + [UInt8](repeating: 0, count: 32)).map { (key, $0) }
    }
  }()

  @Test(
    "Nodes, wallets and certificates ask one function: a key of small order has no transfers, and a member no words"
  )
  func paths() throws {
    #expect(SignatureRuleTests.forgeries.count >= 8)
    let owner = try Identity(seed: [UInt8](repeating: 1, count: 32))
    let member = try Identity(seed: [UInt8](repeating: 2, count: 32))
    for (weak, signature) in SignatureRuleTests.forgeries {
      let genesis = try Genesis(
        network: "n", members: [weak, member.publicKey], byzantine: 0,
        balances: [weak: 1_000, owner.publicKey: 1_000])
      // Of eight messages one at least would be signed by these where small orders are allowed.
      for amount in 1...UInt64(8) {
        let transfer = Transfer(
          account: weak, sequence: 0, funds: 1_000, destinations: [.init(account: key(1), amount: amount)])
        let forged = SignedTransfer(transfer: transfer, signature: signature)
        #expect(
          forged.isSigned(in: genesis.hash)
            == weak.verifies(signature, of: SignedTransfer.statement(transfer, in: genesis.hash)))
        #expect(!forged.isSigned(in: genesis.hash))
        let good = SignedTransfer(
          Transfer(
            account: owner.publicKey, sequence: 0, funds: 1_000,
            destinations: [.init(account: key(1), amount: amount)]),
          in: genesis.hash, by: owner)
        #expect(!Certificate.isSigned(signature, of: good, in: genesis.hash, by: weak))
        let word = Certificate.sign(good, in: genesis.hash, by: member)
        #expect(throws: QuantityError.self) {
          try Certificate(ledger: genesis.hash, transfer: good, signatures: [weak: signature]).verify(
            by: genesis)
        }
        #expect(throws: QuantityError.self) {
          try Certificate(ledger: genesis.hash, transfer: forged, signatures: [member.publicKey: word])
            .verify(by: genesis)
        }
        try Certificate(ledger: genesis.hash, transfer: good, signatures: [member.publicKey: word]).verify(
          by: genesis)
      }
    }
  }
}
