import StarlingCore
import StarlingTestSupport
import Testing

@Suite("The hash of a set")
struct SetHashTests {
  private static func hash(_ members: [[UInt8]]) -> SetHash {
    var hash = SetHash()
    for member in members { hash.insert(member) }
    return hash
  }

  @Test("It is a function of the set, whatever the order of changes")
  func order() {
    var random = testRandom()
    let members = (0..<50).map { [UInt8($0)] }
    let one = SetHashTests.hash(members)
    var other = SetHashTests.hash(members.reversed() + [[200], [201]])
    #expect(other.bytes != one.bytes)
    other.remove([201])
    other.remove([200])
    #expect(other.bytes == one.bytes)
    // Through other sets and back.
    for _ in 0..<200 {
      let member = members[random.uniform(below: 50)]
      other.remove(member)
      #expect(other.bytes != one.bytes, "\(replay)")
      other.insert(member)
    }
    #expect(other.bytes == one.bytes, "\(replay)")
    #expect(SetHash().bytes == [UInt8](repeating: 0, count: 2_048))
  }

  @Test("Its numbers of 16 bits are added apart from each other: no carry leaks into the next")
  func numbers() {
    // Two members' vectors, added by the book.
    func numbers(_ hash: SetHash) -> [UInt16] {
      stride(from: 0, to: hash.bytes.count, by: 2).map {
        UInt16(hash.bytes[$0]) << 8 | UInt16(hash.bytes[$0 + 1])
      }
    }
    let (a, b) = (numbers(SetHashTests.hash([[1]])), numbers(SetHashTests.hash([[2]])))
    #expect(numbers(SetHashTests.hash([[1], [2]])) == zip(a, b).map { $0 &+ $1 })
    var difference = SetHashTests.hash([[1]])
    difference.remove([2])
    #expect(numbers(difference) == zip(a, b).map { $0 &- $1 })
    #expect(Set(a).count > 900, "all numbers are drawn")
  }

  @Test("A member's vector is the ChaCha20 keystream under its SHA-256, on every machine")
  func vector() {
    let digest = SHA256.hash(SetHashTests.hash([[]]).bytes)
    #expect(digest.description == "426deee0795c3750d0c0684923b7553a4b79fce9eb35b936a0f59a4fedc853c6")
  }
}
