import StarlingCore

/// Why a command could not do its work, in one sentence that says what was wrong and what to do.
struct CommandError: Error, Equatable, CustomStringConvertible {
  /// 1 when it could not be done, 2 when it was asked for wrongly.
  let exitCode: Int32
  /// For people: a whole sentence.
  let sentence: String

  /// The sentence.
  var description: String { sentence }

  /// The command was used wrongly: an unknown verb or option, or a value that cannot be.
  static func usage(_ sentence: String) -> CommandError { CommandError(exitCode: 2, sentence: sentence) }

  /// The command was right, but it could not be carried out.
  static func failed(_ sentence: String) -> CommandError { CommandError(exitCode: 1, sentence: sentence) }
}

/// Runs work whose errors describe themselves in a sentence, and makes a ``CommandError`` of them.
func explaining<Result>(_ work: () throws -> Result) throws(CommandError) -> Result {
  do {
    return try work()
  } catch let error as CommandError {
    throw error
  } catch {
    throw .failed("\(error)")
  }
}

/// A text from outside as an error may show it: short and in quotation marks.
func quoted(_ text: String) -> String {
  let limit = 80
  let scalars = text.unicodeScalars
  return "\"\(String(String.UnicodeScalarView(scalars.prefix(limit))))\(scalars.count > limit ? "..." : "")\""
}

/// A text as a terminal may show it: on one line, without control characters.
func printable(_ text: String) -> String {
  var shown = String.UnicodeScalarView()
  for scalar in text.unicodeScalars {
    shown.append(scalar.isDisplayControl ? "?" : scalar)
  }
  return String(shown)
}
