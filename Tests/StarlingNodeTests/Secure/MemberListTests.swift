import StarlingCore
import Testing

@testable import StarlingNode

@Suite("The file of members")
struct MemberListTests {
  private let key = String(repeating: "ab", count: 32)
  private let other = String(repeating: "cd", count: 32)

  @Test("It is read as it is written, with comments, blank lines and either line end")
  func reading() throws {
    let text = "# ours\r\n\r\n \(key)  192.0.2.7:4400 # the first\r\n\(other)\t[2001:db8::1]:4401\n"
    let list = try MemberList(parsing: text)
    #expect(list.members.map(\.key.description) == [key, other])
    #expect(
      list.members.compactMap(\.address?.description) == ["192.0.2.7:4400", "[2001:db8:0:0:0:0:0:1]:4401"])
    #expect(try MemberList(parsing: list.text) == list)
  }

  @Test(
    "A wrong line is named",
    arguments: [
      "abcd 192.0.2.7:4400", "KEY", "KEY 192.0.2.7", "KEY 192.0.2.7:0", "KEY 192.0.2.7:4400 more",
      "KEY example.org:4400",
    ])
  func wrong(line: String) {
    let text = "\(other) 192.0.2.8:4400\n" + line.replacing("KEY", with: key)
    #expect { try MemberList(parsing: text) } throws: { "\($0)".contains("Line 2 is no member") }
  }

  @Test("Neither a key nor an address may come twice")
  func twice() {
    for line in ["\(key) 192.0.2.9:4400", "\(other) 192.0.2.8:4400"] {
      #expect { try MemberList(parsing: "\(key) 192.0.2.8:4400\n\(line)") } throws: {
        "\($0)".contains("Line 2 has a key or an address that another line has")
      }
    }
  }
}
