import StarlingCore
import Testing

@testable import StarlingOverlay

/// A key that follows from a number. No point of the curve: policies look at bytes.
private func key(_ n: Int) -> PublicKey {
  guard let key = PublicKey(SHA256.hash(Array("\(n)".utf8)).bytes) else {
    preconditionFailure("a digest has as many bytes as a key")
  }
  return key
}

private func introduction(_ n: Int, by contact: Int, isOwn: Bool = false) -> Introduction {
  Introduction(subscriber: key(n), contact: key(contact), isOwn: isOwn)
}

@Suite struct AdmissionPolicyTests {
  @Test("an open network lets everybody in, by anybody")
  func open() {
    var policy = OpenPolicy()
    #expect(policy.refusal(of: key(1)) == nil)
    #expect(policy.refusal(of: introduction(1, by: 2), at: .zero) == nil)
  }

  @Test("a list lets in the keys on it and no other; comments, empty lines, case and line ends do not matter")
  func list() throws {
    let text = "# ours\n\(key(1))\r\n\n  \("\(key(2))".uppercased())  # the second\n#\(key(3))"
    let list = try KeyList(parsing: text)
    #expect(list.count == 2)
    #expect(list.refusal(of: key(1)) == nil)
    #expect(list.refusal(of: key(2)) == nil)
    #expect(list.refusal(of: key(3)) == .notListed)
    #expect(try KeyList(parsing: "").refusal(of: key(1)) == .notListed)
  }

  @Test(
    "a wrong line of a list is refused with its number",
    arguments: ["x", "\(key(1))0", "\("\(key(1))".dropLast())", "\(key(1)) \(key(2))", "ä"])
  func wrongLine(line: String) {
    #expect {
      _ = try KeyList(parsing: "# one\n\(key(9))\n\(line)\n\(key(8))")
    } throws: {
      "\($0)".hasPrefix("Line 3 ")
    }
  }

  @Test("a puzzle lets in keys with at least its zero bits, about one in 2^bits of them")
  func puzzle() {
    let count = (0..<4_096).count { KeyPuzzle(bits: 6).refusal(of: key($0)) == nil }
    #expect((40...90).contains(count), "\(count) of 4,096 for an expected 64")
    let bits = KeyPuzzle.bits(of: key(5))
    #expect(KeyPuzzle(bits: bits).refusal(of: key(5)) == nil)
    #expect(
      KeyPuzzle(bits: bits + 1).refusal(of: key(5)) == .puzzleUnsolved(bits: bits, needed: bits + 1))
    #expect(KeyPuzzle(bits: 0).refusal(of: key(5)) == nil)
    #expect(KeyPuzzle(bits: 20).expectedTries == 1_048_576)
  }

  @Test("the bits of a key are the leading zeros of SHA-256 over the label and the key")
  func puzzleBits() {
    for n in 0..<64 {
      let digest = SHA256.hash(Array("starling key puzzle 1".utf8) + key(n).bytes).bytes
      let text = digest.map { byte in
        String(repeating: "0", count: byte.leadingZeroBitCount) + (byte == 0 ? "" : "1")
      }.joined()
      #expect(KeyPuzzle.bits(of: key(n)) == text.prefix { $0 == "0" }.count)
    }
  }

  @Test("a contact introduces as many as its limit at once, and one more whenever one is earned")
  func limit() {
    var limit = ContactLimit(count: 3, per: .seconds(30))
    for n in 0..<3 { #expect(limit.refusal(of: introduction(n, by: 9, isOwn: true), at: .zero) == nil) }
    #expect(limit.refusal(of: introduction(3, by: 9, isOwn: true), at: .zero) == .contactOverLimit)
    let almost = Instant.zero + .milliseconds(9_999)
    #expect(limit.refusal(of: introduction(3, by: 9, isOwn: true), at: almost) == .contactOverLimit)
    let later = Instant.zero + .seconds(10)
    #expect(limit.refusal(of: introduction(3, by: 9, isOwn: true), at: later) == nil)
    #expect(limit.refusal(of: introduction(4, by: 9, isOwn: true), at: later) == .contactOverLimit)
    // Another contact has its own.
    #expect(limit.refusal(of: introduction(4, by: 8, isOwn: true), at: later) == nil)
    let muchLater = Instant.zero + .seconds(86_400)
    for n in 0..<3 { #expect(limit.refusal(of: introduction(n, by: 9, isOwn: true), at: muchLater) == nil) }
    #expect(limit.refusal(of: introduction(3, by: 9, isOwn: true), at: muchLater) == .contactOverLimit)
  }

  @Test("what an honest contact introduces is refused by nobody else, however its copies are bunched")
  func bunched() {
    var random = Xoshiro256(seed: 1)
    var (contact, other) = (
      ContactLimit(count: 5, per: .seconds(60)), ContactLimit(count: 5, per: .seconds(60))
    )
    var arrivals: [(Instant, Int)] = []
    for n in 0..<2_000 {
      let now = Instant.zero + .milliseconds(n * 3_000)
      if contact.refusal(of: introduction(n, by: 9, isOwn: true), at: now) == nil {
        arrivals.append((now + .milliseconds(random.uniform(below: 60_000)), n))
      }
    }
    #expect(arrivals.count > 490)
    arrivals.sort { $0.0 < $1.0 }
    for (instant, n) in arrivals {
      #expect(other.refusal(of: introduction(n, by: 9), at: instant) == nil)
    }
  }

  @Test("a limit remembers a bounded number of contacts, and forgets first whom it has known longest")
  func limitIsBounded() {
    var limit = ContactLimit(count: 1, per: .seconds(60))
    for contact in 0..<ContactLimit.contactsRemembered {
      #expect(limit.refusal(of: introduction(0, by: contact, isOwn: true), at: .zero) == nil)
    }
    #expect(limit.refusal(of: introduction(1, by: 0, isOwn: true), at: .zero) == .contactOverLimit)
    #expect(limit.refusal(of: introduction(0, by: -1, isOwn: true), at: .zero) == nil)
    #expect(limit.contactCount == ContactLimit.contactsRemembered)
    #expect(limit.refusal(of: introduction(1, by: 1, isOwn: true), at: .zero) == .contactOverLimit)
    #expect(limit.refusal(of: introduction(1, by: 0, isOwn: true), at: .zero) == nil)
  }

  @Test("of several policies all must let a peer in, and one that is not asked spends nothing")
  func allOf() {
    var both = AllOfPolicies([
      KeyList([key(1), key(2), key(9)]), ContactLimit(count: 1, per: .seconds(60)),
    ])
    #expect(both.refusal(of: key(3)) == .notListed)
    #expect(both.refusal(of: key(1)) == nil)
    #expect(both.refusal(of: introduction(1, by: 9, isOwn: true), at: .zero) == nil)
    #expect(both.refusal(of: introduction(2, by: 9, isOwn: true), at: .zero) == .contactOverLimit)
  }
}

@Suite struct AdmissionRuleTests {
  @Test("rules are read as they are written")
  func parsed() throws {
    #expect(try AdmissionRule.parse("open") == [.open])
    #expect(
      try AdmissionRule.parse("keys:a/b:c.txt,puzzle:20,limit:10/min,limit:100/1.5h") == [
        .keys(file: "a/b:c.txt"), .puzzle(bits: 20), .limit(count: 10, per: .seconds(60)),
        .limit(count: 100, per: .seconds(5_400)),
      ])
    let texts = ["open", "keys:x", "puzzle:64", "limit:10/1min"]
    #expect(try texts.map { try AdmissionRule($0).text } == texts)
  }

  @Test(
    "what is no rule is refused with a sentence",
    arguments: [
      "", "opened", "open:1", "keys", "keys:", "puzzle", "puzzle:", "puzzle:65", "puzzle:-1", "puzzle:+1",
      "limit:10", "limit:10/", "limit:0/min", "limit:10/0s", "limit:1000001/s", "limit:10/25h", "limit:a/min",
      "limit:10/month", "open,", ",open",
    ])
  func refused(text: String) {
    #expect { _ = try AdmissionRule.parse(text) } throws: { ($0 as? QuantityError)?.description.last == "." }
  }

  @Test("the policy of some rules asks each of them, and names the file whose line is wrong")
  func policy() throws {
    let rules = try AdmissionRule.parse("keys:some.txt,puzzle:0")
    let policy = try AdmissionRule.policy(of: rules) { $0 == "some.txt" ? "\(key(1))" : "" }
    #expect(policy.refusal(of: key(1)) == nil)
    #expect(policy.refusal(of: key(2)) == .notListed)
    #expect {
      _ = try AdmissionRule.policy(of: rules) { _ in "\n\nzzz" }
    } throws: {
      "\($0)".contains("some.txt") && "\($0)".contains("Line 3 ")
    }
    #expect(try AdmissionRule.policy(of: []) { $0 }.refusal(of: key(1)) == nil)
  }
}
