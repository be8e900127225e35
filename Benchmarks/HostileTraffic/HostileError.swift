/// Why the trial could not be made, or what it found.
struct HostileError: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
