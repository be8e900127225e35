import StarlingCore

/// What a broadcast of file sharing carries: a kind byte and the kind's fields.
public enum FileMessage: Sendable {
  /// A file exists.
  case manifest(FileManifest)
  /// A part of it. Not yet checked against the manifest.
  case chunk(file: FileIdentifier, index: Int, bytes: [UInt8])

  /// The kind byte of an encoded message, without taking it apart: for counters.
  public enum Kind: UInt8, Sendable {
    /// A manifest.
    case manifest = 1
    /// A chunk.
    case chunk = 2
  }

  /// The kind of an encoded message; `nil` if it is of no known kind.
  public static func kind(of payload: [UInt8]) -> Kind? { payload.first.flatMap(Kind.init(rawValue:)) }

  /// Which chunk of which file an encoded message claims to be, without taking it apart; `nil` for anything
  /// else.
  public static func chunkPosition(in payload: [UInt8]) -> (file: FileIdentifier, index: Int)? {
    guard kind(of: payload) == .chunk else { return nil }
    var reader = WireReader(payload)
    guard (try? reader.readByte()) != nil, let digest = try? reader.read(SHA256Digest.self),
      let index = try? reader.read(UInt32.self)
    else { return nil }
    return (FileIdentifier(digest), Int(index))
  }

  /// The encoded form.
  public var encoded: [UInt8] {
    switch self {
    case .manifest(let manifest): return [Kind.manifest.rawValue] + manifest.encoded
    case .chunk(let file, let index, let bytes):
      var writer = WireWriter(capacity: bytes.count + 37)
      writer.write(Kind.chunk.rawValue)
      writer.write(raw: file.digest.bytes)
      writer.write(integer: UInt32(index))
      writer.write(raw: bytes)
      return writer.bytes
    }
  }

  /// Takes an encoded message apart.
  ///
  /// - Throws: ``FileManifestError`` when the bytes are no message, or announce an impossible file.
  public init(encoded payload: [UInt8]) throws(FileManifestError) {
    switch FileMessage.kind(of: payload) {
    case .manifest: self = .manifest(try FileManifest(encoded: Array(payload.dropFirst())))
    case .chunk: self = try FileMessage.decodeChunk(payload)
    case nil: throw .malformed(.invalid("a message of unknown kind"))
    }
  }

  private static func decodeChunk(_ payload: [UInt8]) throws(FileManifestError) -> FileMessage {
    do throws(WireError) {
      var reader = WireReader(payload)
      _ = try reader.readByte()
      let file = FileIdentifier(try reader.read())
      let index = Int(try reader.read(UInt32.self))
      let bytes = reader.readRest()
      guard index < FileManifest.chunkLimit, (1...FileManifest.chunkByteLimit).contains(bytes.count) else {
        throw WireError.invalid("chunk \(index) with \(bytes.count) bytes")
      }
      return .chunk(file: file, index: index, bytes: bytes)
    } catch {
      throw .malformed(error)
    }
  }
}
