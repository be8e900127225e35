/// Runs a simulation and writes its report.
///
/// - Parameters:
///   - options: what to simulate.
///   - output: where the report goes, as JSON or text.
func simulate(_ options: SimulateOptions, output: Output) throws(CommandError) {
  throw .failed("This version has no simulator: use a newer one.")
}
