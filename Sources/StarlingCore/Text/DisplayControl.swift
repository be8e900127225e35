extension Unicode.Scalar {
  /// Whether this scalar commands a terminal or changes how the text around it is shown, instead of being
  /// shown itself: the C0 and C1 controls, DEL, the line and paragraph separators, and the bidirectional
  /// controls of Unicode Standard Annex 9, with which `gpj.exe` can be made to look like `exe.jpg`.
  ///
  /// No text from a stranger may hold one where people read it.
  public var isDisplayControl: Bool {
    switch value {
    case 0..<0x20, 0x7F...0x9F: true
    // ALM, LRM and RLM, the separators with the embeddings and overrides, the isolates, and the byte order mark.
    case 0x61C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069, 0xFEFF: true
    default: false
    }
  }
}
