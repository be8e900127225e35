import StarlingCore

extension Verb {
  /// `starling version`
  static let version = Verb(
    "version", "print the version", options: [.json, .out]
  ) { arguments throws(CommandError) in
    let output = try Output(arguments)
    try output.write(
      .object([("version", .string(StarlingCommand.version))]), json: arguments.has("json"),
      text: "starling \(StarlingCommand.version)")
  }
}
