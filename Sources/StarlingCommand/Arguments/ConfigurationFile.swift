import FoundationEssentials

/// A JSON5 file that says what options would: `{ listen: "127.0.0.1:4000", join: ["127.0.0.1:4001"] }`.
struct ConfigurationFile: Sendable {
  /// Where it was read.
  let path: String
  /// The values by option name, each as it would be written on the command line.
  let values: [String: [String]]

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
        "The configuration \(quoted(path)) is not a JSON5 object of texts, numbers and lists of them, such"
          + " as { listen: \"127.0.0.1:4000\" }: correct it.")
    }
    let names = verb.options.filter { $0.value != nil && $0.name != "config" }.map(\.name)
    for name in members.keys.sorted() where !names.contains(name) {
      let near = Suggestion.nearest(to: name, among: names).map { "did you mean \(quoted($0))?" }
      throw .usage(
        "The configuration \(quoted(path)) has an unknown key \(quoted(name)): "
          + (near ?? "it may have \(names.joined(separator: ", "))."))
    }
    for option in verb.options where !option.repeats && (members[option.name]?.texts.count ?? 1) != 1 {
      throw .usage("The key \(quoted(option.name)) in \(quoted(path)) takes one value: give no list.")
    }
    self.path = path
    values = members.mapValues(\.texts)
  }

  /// One value of the file, or a list of them.
  private struct Setting: Decodable {
    let texts: [String]

    init(from decoder: any Decoder) throws {
      if var list = try? decoder.unkeyedContainer() {
        var texts: [String] = []
        while !list.isAtEnd { texts.append(try list.decode(Scalar.self).text) }
        self.texts = texts
      } else {
        texts = [try Scalar(from: decoder).text]
      }
    }
  }

  private struct Scalar: Decodable {
    let text: String

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let text = try? container.decode(String.self) {
        self.text = text
      } else if let number = try? container.decode(Int.self) {
        text = "\(number)"
      } else {
        text = "\(try container.decode(Double.self))"
      }
    }
  }
}
