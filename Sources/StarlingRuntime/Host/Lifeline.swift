import Glibc

extension HostConfiguration {
  /// The environment variable that carries a lifeline's descriptor from `starling up` to its nodes.
  static let lifelineVariable = "STARLING_LIFELINE"

  /// The descriptor that the environment names, if it is open.
  static func lifelineOfEnvironment() -> Int32? {
    guard let text = getenv(lifelineVariable), let number = Int32(String(cString: text)), number > 2,
      fcntl(number, F_GETFD) >= 0
    else { return nil }
    return number
  }
}
