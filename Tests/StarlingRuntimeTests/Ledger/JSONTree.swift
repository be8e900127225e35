import FoundationEssentials

/// Any JSON value.
indirect enum JSONTree: Decodable, Hashable {
  case null
  case bool(Bool)
  case whole(UInt64)
  case number(Double)
  case string(String)
  case array([JSONTree])
  case object([String: JSONTree])

  init(from decoder: any Decoder) throws {
    let value = try decoder.singleValueContainer()
    if value.decodeNil() {
      self = .null
    } else if let bool = try? value.decode(Bool.self) {
      self = .bool(bool)
    } else if let whole = try? value.decode(UInt64.self) {
      self = .whole(whole)
    } else if let number = try? value.decode(Double.self) {
      self = .number(number)
    } else if let string = try? value.decode(String.self) {
      self = .string(string)
    } else if let array = try? value.decode([JSONTree].self) {
      self = .array(array)
    } else {
      self = .object(try value.decode([String: JSONTree].self))
    }
  }

  /// Reads a text.
  init(parsing text: [UInt8]) throws { self = try JSONDecoder().decode(JSONTree.self, from: Data(text)) }

  /// A member; null if there is none.
  subscript(name: String) -> JSONTree {
    if case .object(let members) = self { return members[name] ?? .null }
    return .null
  }

  var members: [String: JSONTree] { if case .object(let members) = self { members } else { [:] } }
  var elements: [JSONTree] { if case .array(let elements) = self { elements } else { [] } }
  var text: String? { if case .string(let text) = self { text } else { nil } }
  var whole: UInt64? { if case .whole(let number) = self { number } else { nil } }
}

/// Holds JSON values to the schemas of an OpenAPI document: as much of JSON Schema as the document uses. A keyword that is
/// not known here is a fault too, so that nothing in the document goes unchecked.
struct SchemaChecker {
  /// The document.
  let document: JSONTree

  /// What `$ref` leads to, or the value itself.
  func resolved(_ value: JSONTree) -> JSONTree {
    guard let reference = value["$ref"].text else { return value }
    return resolved(reference.split(separator: "/").dropFirst().reduce(document) { $0[String($1)] })
  }

  /// What is wrong with a value.
  func faults(of value: JSONTree, against schema: JSONTree, at place: String = "$") -> [String] {
    if schema["$ref"].text != nil {
      let target = resolved(schema)
      if target == .null { return ["\(place): \(schema["$ref"]) leads nowhere"] }
      return faults(of: value, against: target, at: place)
    }
    return schema.members.flatMap { faults(of: value, keyword: $0, $1, in: schema, at: place) }
  }

  private func faults(
    of value: JSONTree, keyword: String, _ rule: JSONTree, in schema: JSONTree, at place: String
  ) -> [String] {
    func check(_ isRight: Bool?) -> [String] {
      isRight == false ? ["\(place): not its \(keyword) \(rule)"] : []
    }
    switch keyword {
    case "description", "default": return []
    case "type":
      let types = rule.text.map { [$0] } ?? rule.elements.compactMap(\.text)
      return check(types.contains { SchemaChecker.isOf($0, value) })
    case "enum": return check(rule.elements.contains(value))
    case "pattern":
      guard let pattern = rule.text, let regex = try? Regex(pattern) else { return ["\(place): no pattern"] }
      return check(value.text.map { $0.wholeMatch(of: regex) != nil })
    case "minLength": return check(value.text.map { $0.utf8.count >= Int(rule.whole ?? 0) })
    case "maxLength": return check(value.text.map { $0.utf8.count <= Int(rule.whole ?? 0) })
    case "minimum": return check(value.whole.map { $0 >= rule.whole ?? 0 })
    case "maximum": return check(value.whole.map { $0 <= rule.whole ?? 0 })
    case "minItems": return check(SchemaChecker.count(value).map { $0 >= Int(rule.whole ?? 0) })
    case "maxItems": return check(SchemaChecker.count(value).map { $0 <= Int(rule.whole ?? 0) })
    case "items":
      return value.elements.enumerated().flatMap { faults(of: $1, against: rule, at: "\(place)[\($0)]") }
    case "oneOf":
      return check(rule.elements.count { faults(of: value, against: $0).isEmpty } == 1)
    case "required":
      guard case .object(let members) = value else { return [] }
      return check(rule.elements.allSatisfy { $0.text.map { members[$0] != nil } ?? false })
    case "properties":
      return value.members.flatMap { name, member in
        rule.members[name].map { faults(of: member, against: $0, at: "\(place).\(name)") } ?? []
      }
    case "additionalProperties":
      guard rule == .bool(false) else { return ["\(place): additionalProperties must be false"] }
      return check(Set(value.members.keys).isSubset(of: schema["properties"].members.keys))
    default: return ["\(place): the keyword \(keyword) is not known"]
    }
  }

  private static func count(_ value: JSONTree) -> Int? {
    if case .array(let elements) = value { elements.count } else { nil }
  }

  private static func isOf(_ type: String, _ value: JSONTree) -> Bool {
    switch (type, value) {
    case ("null", .null), ("boolean", .bool), ("integer", .whole), ("number", .whole), ("number", .number),
      ("string", .string), ("array", .array), ("object", .object):
      true
    default: false
    }
  }
}
