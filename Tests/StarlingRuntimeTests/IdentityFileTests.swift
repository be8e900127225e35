import CStarlingShims
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

  @Test("a link in the place of a node's key that leads nowhere is left alone, with a sentence")
  func danglingLink() throws {
    let path = directory("identity.key")
    symlink(directory("unmounted/identity.key"), path)
    #expect(throws: HostError.self) { try IdentityFile.readOrCreate(path) }
    var status = stat()
    #expect(lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK)
    do { _ = try IdentityFile.readOrCreate(path) } catch {
      #expect(error.description.contains("leads nowhere") && error.description.hasSuffix("."))
    }
    // Once what it led to is back, it is used.
    mkdir(directory("unmounted"), 0o700)
    let identity = try IdentityFile.create(at: directory("unmounted/identity.key"))
    #expect(try IdentityFile.readOrCreate(path).publicKey == identity.publicKey)
  }

  @Test("a rename that must not replace anything replaces nothing")
  func exclusiveRename() throws {
    let (new, old) = (directory.write([1], to: "new"), directory.write([2], to: "old"))
    #expect(starling_rename_new(new, old) == -EEXIST)
    #expect(contents(old) == [2])
    symlink(directory("nowhere"), directory("link"))
    #expect(starling_rename_new(new, directory("link")) == -EEXIST)
    #expect(starling_rename_new(new, directory("third")) == 0)
    #expect(contents(directory("third")) == [1] && contents(new) == nil)
  }

  @Test("a key that belongs to another user is refused; root's is taken")
  func owner() throws {
    #expect(IdentityFile.isTrusted(owner: geteuid()) && IdentityFile.isTrusted(owner: 0))
    #expect(!IdentityFile.isTrusted(owner: geteuid() &+ 12_345))
    _ = try IdentityFile.create(at: directory("id"))
    // Only root can give a file away.
    guard geteuid() == 0, chown(directory("id"), 12_345, 12_345) == 0 else { return }
    #expect(refusal(directory("id"))?.contains("another user") == true)
  }

  @Test("a data directory that every user can write is refused, with the command that protects it")
  func openDirectory() throws {
    let path = directory("data")
    mkdir(path, 0o700)
    chmod(path, 0o777)
    do {
      _ = try DataDirectory(path)
      Issue.record("0777 was accepted")
    } catch {
      #expect(error.description.contains("chmod o-w \(path)"))
    }
    chmod(path, 0o775)
    _ = try DataDirectory(path)
  }
}
