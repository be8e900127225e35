import FoundationEssentials

/// How the control interface's objects become JSON and back: snake_case names, in a fixed order.
enum ControlCoding {
  static func encode(_ value: some Encodable) throws(HostError) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    do {
      return Array(try encoder.encode(value))
    } catch {
      throw HostError("An answer could not be written as JSON.")
    }
  }

  static func decode<Value: Decodable>(_ type: Value.Type, from json: [UInt8]) throws(HostError) -> Value {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    do {
      return try decoder.decode(type, from: Data(json))
    } catch {
      throw HostError("The node's answer is not what this version of starling expects.")
    }
  }
}

/// Why the node refused: `{"error": …}`.
struct ControlFailure: Codable {
  let error: String
}
