import FoundationEssentials

/// A JSON5 file that says what options would: `{ listen: "127.0.0.1:4000", join: ["127.0.0.1:4001"] }`.
struct ConfigurationFile: Sendable {
  /// Where it was read.
  let path: String
  /// The values by option name, each as it would be written on the command line.
  let values: [String: [String]]
  /// The flags that it sets.
  let flags: Set<String>

  /// Files above this size are no configuration: 1 MiB, a guess.
  private static let bytesLimit = 1 << 20

  /// Reads the file and checks that it names only options of `verb`.
  init(path: String, for verb: Verb) throws(CommandError) {
    let bytes = try InputFile.read(path, limit: ConfigurationFile.bytesLimit)
    try self.init(bytes, path: path, for: verb)
  }

  /// Understands the contents of a file.
  init(_ bytes: [UInt8], path: String, for verb: Verb) throws(CommandError) {
    let decoder = JSONDecoder()
    decoder.allowsJSON5 = true
    let members: [String: Setting]
    do {
      members = try decoder.decode([String: Setting].self, from: Data(bytes))
    } catch {
      throw .usage(
        "The configuration \(quoted(path)) is not a JSON5 object of texts, numbers, lists of them, true and"
          + " false, such as { listen: \"127.0.0.1:4000\" }: correct it.")
    }
    let names = verb.options.map(\.name).filter { $0 != "config" }
    for name in members.keys.sorted() where !names.contains(name) {
      let near = Suggestion.nearest(to: name, among: names).map { "did you mean \(quoted($0))?" }
      throw .usage(
        "The configuration \(quoted(path)) has an unknown key \(quoted(name)): "
          + (near ?? "it may have \(names.joined(separator: ", "))."))
    }
    var (values, flags) = ([String: [String]](), Set<String>())
    for option in verb.options {
      guard let scalars = members[option.name]?.scalars else { continue }
      let key = "The key \(quoted(option.name)) in \(quoted(path))"
      guard let placeholder = option.value else {
        guard scalars.count == 1, case .truth(let isSet) = scalars[0] else {
          throw .usage("\(key) takes true or false: --\(option.name) is a flag.")
        }
        if isSet { flags.insert(option.name) }
        continue
      }
      guard option.repeats || scalars.count == 1 else {
        throw .usage("\(key) takes one value: give no list.")
      }
      values[option.name] = try scalars.map { scalar throws(CommandError) in
        guard case .text(let text) = scalar else {
          throw .usage("\(key) takes a value, \(placeholder): true and false are for flags.")
        }
        return text
      }
    }
    (self.path, self.values, self.flags) = (path, values, flags)
  }

  /// One value of the file, or a list of them.
  private struct Setting: Decodable {
    let scalars: [Scalar]

    init(from decoder: any Decoder) throws {
      if var list = try? decoder.unkeyedContainer() {
        var scalars: [Scalar] = []
        while !list.isAtEnd { scalars.append(try list.decode(Scalar.self)) }
        self.scalars = scalars
      } else {
        scalars = [try Scalar(from: decoder)]
      }
    }
  }

  private enum Scalar: Decodable {
    /// A text or a number, as it would be written on the command line.
    case text(String)
    /// What a flag takes.
    case truth(Bool)

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let text = try? container.decode(String.self) {
        self = .text(text)
      } else if let number = try? container.decode(Int.self) {
        self = .text("\(number)")
      } else if let isSet = try? container.decode(Bool.self) {
        self = .truth(isSet)
      } else {
        self = .text("\(try container.decode(Double.self))")
      }
    }
  }
}
