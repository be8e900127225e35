/// How long a datagram is on its way: what a user chooses with `--delay` or `--geography`. ``DelaySampler`` draws from it.
public enum DelayModel: Hashable, Sendable, CustomStringConvertible {
  /// Always the same.
  case constant(Interval)
  /// Uniform between two bounds.
  case uniform(from: Interval, to: Interval)
  /// Normal with this mean and standard deviation, truncated at 0: the law of a normal variable given that
  /// it is not negative.
  case gaussian(mean: Interval, deviation: Interval)
  /// Lognormal: its logarithm is normal around that of the median, with standard deviation `sigma`.
  case lognormal(median: Interval, sigma: Double)
  /// Measured between places, one of which each peer is given at random; `file` is where it was read.
  case matrix(LatencyMatrix, file: String)
  /// By distance on the Earth: each peer is in a large city, drawn by how many live there. See ``WorldDelays``.
  case world

  /// No delay is longer than a day: the tails of the laws are cut there.
  public static let longestDelay = Interval.seconds(86_400)

  /// Parses `constant:50ms`, `uniform:20ms,80ms`, `gaussian:50ms,10ms`, `lognormal:60ms,0.5` or
  /// `matrix:FILE`.
  ///
  /// - Parameters:
  ///   - text: what the user wrote.
  ///   - readFile: answers with the contents of a file; called for a matrix only.
  public static func parse(
    _ text: String, readFile: (String) throws -> String
  ) throws(QuantityError) -> DelayModel {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2 else { throw unknown(text) }
    let arguments = parts[1].split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    switch (parts[0], arguments.count) {
    case ("constant", 1): return .constant(try delay(arguments[0]))
    case ("uniform", 2):
      let (from, to) = (try delay(arguments[0]), try delay(arguments[1]))
      guard from <= to else {
        throw QuantityError("The delay model \"\(text)\" must name the smaller delay first.")
      }
      return .uniform(from: from, to: to)
    case ("gaussian", 2):
      return .gaussian(mean: try delay(arguments[0]), deviation: try delay(arguments[1]))
    case ("lognormal", 2):
      let sigma = try Quantity.number(arguments[1])
      guard sigma <= 10 else {
        throw QuantityError("The sigma of the delay model \"\(text)\" is out of range; it may be 0 to 10.")
      }
      return .lognormal(median: try delay(arguments[0]), sigma: sigma)
    case ("matrix", _): return try matrix(String(parts[1]), readFile)
    default: throw unknown(text)
    }
  }

  /// Parses where peers are: `world`, or `matrix:FILE` as for a delay model.
  ///
  /// - Parameters:
  ///   - text: what the user wrote.
  ///   - readFile: answers with the contents of a file; called for a matrix only.
  public static func parse(
    geography text: String, readFile: (String) throws -> String
  ) throws(QuantityError) -> DelayModel {
    if text == "world" { return .world }
    let prefix = "matrix:"
    guard text.hasPrefix(prefix) else {
      throw QuantityError("\"\(text)\" is not a geography; write world or matrix:FILE.")
    }
    return try matrix(String(text.dropFirst(prefix.count)), readFile)
  }

  /// The model as ``parse(_:readFile:)`` or ``parse(geography:readFile:)`` reads it.
  public var description: String {
    switch self {
    case .constant(let delay): "constant:\(Quantity.text(of: delay))"
    case .uniform(let from, let to): "uniform:\(Quantity.text(of: from)),\(Quantity.text(of: to))"
    case .gaussian(let mean, let deviation):
      "gaussian:\(Quantity.text(of: mean)),\(Quantity.text(of: deviation))"
    case .lognormal(let median, let sigma):
      "lognormal:\(Quantity.text(of: median)),\(Quantity.text(of: sigma))"
    case .matrix(_, let file): "matrix:\(file)"
    case .world: "world"
    }
  }

  private static func unknown(_ text: String) -> QuantityError {
    QuantityError(
      "\"\(text)\" is not a delay model; write constant:50ms, uniform:20ms,80ms, gaussian:50ms,10ms, "
        + "lognormal:60ms,0.5 or matrix:FILE.")
  }

  private static func delay(_ text: String) throws(QuantityError) -> Interval {
    let delay = try Quantity.duration(text)
    guard delay <= longestDelay else {
      throw QuantityError("The delay \"\(text)\" is out of range; it may be 0s to 24h.")
    }
    return delay
  }

  private static func matrix(
    _ file: String, _ readFile: (String) throws -> String
  ) throws(QuantityError) -> DelayModel {
    let text: String
    do {
      text = try readFile(file)
    } catch {
      throw QuantityError("The latency matrix \"\(file)\" could not be read: \(error)")
    }
    return .matrix(try LatencyMatrix(parsing: text), file: file)
  }
}
