import Glibc
import StarlingCore
import Testing

@testable import StarlingRuntime

@Suite struct IdentityFileTests {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  private func refusal(_ path: String) -> String? {
    do {
      _ = try IdentityFile.read(path)
      return nil
    } catch {
      return "\(error)"
    }
  }

  @Test("a created identity is read back, for its owner's eyes only, also through a symbolic link")
  func roundTrip() throws {
    let path = directory("id")
    let identity = try IdentityFile.create(at: path)
    var status = stat()
    #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
    #expect(try IdentityFile.read(path).publicKey == identity.publicKey)
    symlink(path, directory("link"))
    #expect(try IdentityFile.read(directory("link")).publicKey == identity.publicKey)
    #expect(try IdentityFile.create(at: directory("other")).publicKey != identity.publicKey)
  }

  @Test("the file is a version line and the seed in hexadecimal")
  func format() throws {
    let identity = try IdentityFile.create(at: directory("id"))
    let text = "starling-identity 1\n\(hexadecimal(identity.exportSeed()))\n"
    #expect(contents(directory("id")) == Array(text.utf8))
  }

  @Test("nothing is ever overwritten, not even where a symbolic link points")
  func exclusive() throws {
    let path = directory.write([1], to: "id")
    #expect(throws: HostError.self) { try IdentityFile.create(at: path) }
    #expect(contents(path) == [1])
    symlink(directory("target"), directory("dangling"))
    #expect(throws: HostError.self) { try IdentityFile.create(at: directory("dangling")) }
    #expect(throws: HostError.self) { try IdentityFile.create(at: directory("no/such/directory")) }
  }

  @Test("a file that others can read or write is refused, with the command that protects it")
  func permissions() throws {
    _ = try IdentityFile.create(at: directory("id"))
    for mode: mode_t in [0o640, 0o604, 0o620, 0o601] {
      chmod(directory("id"), mode)
      #expect(refusal(directory("id"))?.contains("chmod 600") == true)
    }
    chmod(directory("id"), 0o400)
    #expect(refusal(directory("id")) == nil)
  }

  @Test("wrong contents are refused with a sentence, and an unknown version says upgrade")
  func wrongContents() throws {
    let digits = String(repeating: "ab", count: 32)
    let wrong = [
      "", "hello", "starling-identity 1", "starling-identity 1\n", "starling-identity 1\n\(digits)",
      "starling-identity 1\n\(digits)\n\n", "starling-identity 1\n\(digits)0\n",
      "starling-identity 1\n\(digits.dropLast())g\n", "starling-identity 1\n\(digits.dropLast(2))\n",
      "starling-identity 1\r\n\(digits)\r\n", String(repeating: "x", count: 100_000),
    ]
    for text in wrong {
      let sentence = refusal(directory.write(Array(text.utf8), to: "id"))
      #expect(sentence?.hasSuffix(".") == true, "\(text)")
      #expect(sentence?.contains(digits) == false)
    }
    let newer = directory.write(Array("starling-identity 2\n\(digits)\n".utf8), to: "id")
    #expect(refusal(newer)?.contains("upgrade") == true)
    #expect(refusal(directory("none"))?.contains("starling keys new") == true)
    #expect(refusal(directory.path)?.contains("is not a file") == true)
    mkfifo(directory("pipe"), 0o600)
    #expect(refusal(directory("pipe"))?.contains("is not a file") == true)
  }

  @Test("line ends of another system are called that, with the command that mends them")
  func carriageReturns() throws {
    _ = try IdentityFile.create(at: directory("id"))
    let text = try #require(contents(directory("id")))
    let foreign = text.flatMap { $0 == UInt8(ascii: "\n") ? [UInt8(ascii: "\r"), $0] : [$0] }
    let sentence = try #require(refusal(directory.write(foreign, to: "foreign")))
    #expect(sentence.contains("line ends") && sentence.contains("sed"), "\(sentence)")
  }
}
