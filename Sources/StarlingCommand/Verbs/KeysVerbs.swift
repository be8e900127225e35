import StarlingCore
import StarlingRuntime

extension Verb {
  /// `starling keys new`
  static let keysNew = Verb(
    "keys new", "make an identity and write it to a file that only you can read",
    options: [
      Option("out", "FILE", "where to write it; nothing may be there yet (default starling.key)"), .json,
    ],
    notes: """
      An identity is an Ed25519 key pair. Its public key is the peer's name in the network; whoever
      has the file can speak in that name, so keep it to yourself.
      """
  ) { arguments throws(CommandError) in
    let path = arguments.text("out") ?? "starling.key"
    let identity = try explaining { try IdentityFile.create(at: path) }
    try Output.standard.write(
      .object([("key", .string(identity.publicKey.description)), ("file", .string(path))]),
      json: arguments.has("json"), text: "\(identity.publicKey)\nwritten to \(path)")
  }

  /// `starling keys show`
  static let keysShow = Verb(
    "keys show", "print the public key of an identity",
    operands: [Operand(name: "FILE", summary: "the file that `starling keys new` wrote")],
    options: [.json, .out]
  ) { arguments throws(CommandError) in
    let path = arguments.operands[0]
    let identity = try explaining { try IdentityFile.read(path) }
    let key = identity.publicKey.description
    try Output(arguments).write(
      .object([("key", .string(key)), ("file", .string(path))]), json: arguments.has("json"), text: key)
  }
}
