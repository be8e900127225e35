/// A JSON value (RFC 8259) whose members keep the order they were given in, so that a report comes out
/// byte for byte the same on every run. It is only written; Foundation reads.
public indirect enum JSONValue: Sendable {
  /// Nothing: a quantity that was not computed.
  case null
  /// A truth value.
  case bool(Bool)
  /// A whole number.
  case integer(Int)
  /// A whole number that is never negative.
  case unsigned(UInt64)
  /// Any number. Infinities and NaN, which JSON lacks, are written as `null`.
  case number(Double)
  /// A text.
  case string(String)
  /// Values in order.
  case array([JSONValue])
  /// Members in order. The writer does not look for repeated names.
  case object([(String, JSONValue)])

  /// The value as text, without a newline at its end.
  ///
  /// Numbers come out as the shortest decimal that reads back as the same number.
  ///
  /// - Parameter indented: whether objects, and arrays that hold arrays or objects, put each element on a
  ///   line of its own, two spaces further in. Without it there is no white space at all.
  public func text(indented: Bool) -> String {
    var output: [UInt8] = []
    append(to: &output, depth: indented ? 0 : nil)
    return String(decoding: output, as: UTF8.self)
  }

  /// `depth` is how far the value is indented; `nil` for compact text.
  private func append(to output: inout [UInt8], depth: Int?) {
    switch self {
    case .null: output.append(contentsOf: "null".utf8)
    case .bool(let value): output.append(contentsOf: (value ? "true" : "false").utf8)
    case .integer(let value): output.append(contentsOf: value.description.utf8)
    case .unsigned(let value): output.append(contentsOf: value.description.utf8)
    case .number(let value):
      output.append(contentsOf: (value.isFinite ? value.description : "null").utf8)
    case .string(let value): JSONValue.append(quoted: value, to: &output)
    case .array(let elements):
      let inLine = !elements.contains { $0.isComposite }
      JSONValue.appendList(
        of: elements, between: ("[", "]"), to: &output, depth: inLine ? nil : depth,
        spaced: inLine && depth != nil
      ) { element, depth, output in
        element.append(to: &output, depth: depth)
      }
    case .object(let members):
      JSONValue.appendList(of: members, between: ("{", "}"), to: &output, depth: depth, spaced: false) {
        member, inner, output in
        JSONValue.append(quoted: member.0, to: &output)
        output.append(contentsOf: (depth == nil ? ":" : ": ").utf8)
        member.1.append(to: &output, depth: inner)
      }
    }
  }

  private var isComposite: Bool {
    switch self {
    case .array, .object: true
    default: false
    }
  }

  private static func appendList<Element>(
    of elements: [Element], between brackets: (String, String), to output: inout [UInt8], depth: Int?,
    spaced: Bool, _ append: (Element, Int?, inout [UInt8]) -> Void
  ) {
    output.append(contentsOf: brackets.0.utf8)
    let inner = depth.map { $0 + 1 }
    for (index, element) in elements.enumerated() {
      if index > 0 { output.append(contentsOf: (spaced ? ", " : ",").utf8) }
      startLine(at: inner, in: &output)
      append(element, inner, &output)
    }
    if !elements.isEmpty { startLine(at: depth, in: &output) }
    output.append(contentsOf: brackets.1.utf8)
  }

  private static func startLine(at depth: Int?, in output: inout [UInt8]) {
    guard let depth else { return }
    output.append(UInt8(ascii: "\n"))
    output.append(contentsOf: repeatElement(UInt8(ascii: " "), count: 2 * depth))
  }

  /// RFC 8259, section 7: the quotation mark, the backslash and the control characters must be escaped. What else commands
  /// a terminal may be, and is: the text may be a stranger's.
  private static func append(quoted text: String, to output: inout [UInt8]) {
    let digits = Array("0123456789abcdef".utf8)
    output.append(UInt8(ascii: "\""))
    for scalar in text.unicodeScalars {
      guard scalar.isASCII, scalar.value != 0x7F else {
        guard scalar.isDisplayControl else {
          output.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
          continue
        }
        // All of these are of the basic plane.
        output.append(contentsOf: "\\u".utf8)
        for shift in [12, 8, 4, 0] { output.append(digits[Int(scalar.value >> UInt32(shift)) & 15]) }
        continue
      }
      let byte = UInt8(truncatingIfNeeded: scalar.value)
      switch byte {
      case UInt8(ascii: "\""): output.append(contentsOf: "\\\"".utf8)
      case UInt8(ascii: "\\"): output.append(contentsOf: "\\\\".utf8)
      case 0x08: output.append(contentsOf: "\\b".utf8)
      case 0x09: output.append(contentsOf: "\\t".utf8)
      case 0x0A: output.append(contentsOf: "\\n".utf8)
      case 0x0C: output.append(contentsOf: "\\f".utf8)
      case 0x0D: output.append(contentsOf: "\\r".utf8)
      case 0..<0x20:
        output.append(contentsOf: "\\u00".utf8)
        output.append(digits[Int(byte >> 4)])
        output.append(digits[Int(byte & 15)])
      default: output.append(byte)
      }
    }
    output.append(UInt8(ascii: "\""))
  }
}
