extension Verb {
  /// `starling picture`: for whoever has no file at hand to broadcast.
  static let picture = Verb(
    "picture", "paint a picture of a flock, as a file to broadcast",
    options: [
      Option("out", "FILE", "where to write the bitmap"),
      Option("width", "PIXELS", "its width (default 800)"),
      Option("height", "PIXELS", "its height (default 560)"),
      .seed,
    ]
  ) { arguments throws(CommandError) in
    guard let path = arguments.text("out") else {
      throw .usage("`starling picture` needs --out FILE: where to write the bitmap.")
    }
    let picture = MurmurationPicture(
      width: try arguments.integer("width", in: 16...8_192, default: 800),
      height: try arguments.integer("height", in: 16...8_192, default: 560), seed: try arguments.seed())
    try Output(path: path).write(picture.bitmap())
  }
}
