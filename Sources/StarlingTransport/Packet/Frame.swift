import StarlingCore

/// What a packet carries. In the encoded form: a byte for the kind, then variable-length integers.
enum Frame: Equatable {
  /// Asks for an acknowledgement and nothing else.
  case ping
  /// Says which packets have come.
  case acknowledgement(Acknowledgement)
  /// A part of a message.
  case data(Fragment)
  /// The connection ends.
  case close(CloseCode)

  enum Kind {
    static let ping: UInt8 = 1
    static let acknowledgement: UInt8 = 2
    static let data: UInt8 = 3
    static let close: UInt8 = 4
  }

  /// Whether the receiver owes an acknowledgement for it (RFC 9002, section 2).
  var isAckEliciting: Bool {
    switch self {
    case .ping, .data: true
    case .acknowledgement, .close: false
    }
  }

  /// Takes a frame of an authentic packet apart.
  ///
  /// - Throws: ``WireError`` when the peer broke the protocol.
  static func decode(from reader: inout WireReader) throws(WireError) -> Frame {
    switch try reader.readByte() {
    case Kind.ping: return .ping
    case Kind.acknowledgement: return .acknowledgement(try Acknowledgement.decode(from: &reader))
    case Kind.data: return .data(try Fragment.decode(from: &reader))
    case Kind.close: return .close(CloseCode(code: try reader.readByte()))
    default: throw .invalid("a frame of an unknown kind")
    }
  }
}

/// Why the sender of a CLOSE frame ends the connection.
enum CloseCode: UInt8 {
  case application = 0
  case violation = 1
  case full = 2
  case inadmissible = 3

  /// Codes of later versions count as the plainest.
  init(code: UInt8) { self = CloseCode(rawValue: code) ?? .application }

  /// How the receiver reports it.
  var reason: CloseReason {
    switch self {
    case .application: .peer
    case .violation: .violationReported
    case .full: .peerFull
    case .inadmissible: .notAdmitted
    }
  }
}

extension Fragment {
  /// Appends the frame that carries a part of `content`.
  static func encode(message: UInt64, index: Int, of content: [UInt8], into writer: inout WireWriter) {
    let range = range(index, total: content.count)
    writer.write(Frame.Kind.data)
    writer.write(varint: message)
    writer.write(varint: UInt64(range.lowerBound))
    writer.write(varint: UInt64(content.count))
    writer.write(raw: content[range])
  }

  /// The length is not carried: it follows from the offset and the total.
  static func decode(from reader: inout WireReader) throws(WireError) -> Fragment {
    let message = try reader.readVarint()
    let offset = try reader.readVarint()
    let total = try reader.readVarint()
    guard total <= UInt64(maximumMessageBytes) else { throw .invalid("a message that is too large") }
    guard offset == 0 || offset < total, offset % UInt64(byteCount) == 0 else {
      throw .invalid("a part of a message outside it")
    }
    let index = Int(offset) / byteCount
    let bytes = try reader.read(count: range(index, total: Int(total)).count)
    return Fragment(message: message, total: Int(total), index: index, bytes: bytes)
  }
}
