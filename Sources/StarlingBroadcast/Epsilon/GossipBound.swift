import StarlingCore

/// How probably Erdős–Rényi Gossip leaves a correct process out: its ε of totality (thesis, section 4.3.3).
///
/// Two correct processes are linked with probability p = 1 − (1 − G/N)², each other pair alone. If their graph falls
/// apart, one of the parts has k ≤ C/2 members and none of its k(C − k) possible links, so the probability is at most
/// Σ_{k=1..⌈C/2⌉} binom(C, k)·(1 − p)^{k(C−k)}.
struct GossipBound {
  /// The number of correct processes, C.
  let correct: Int
  /// The number of processes, N.
  let nodes: Int

  /// The bound for an expected gossip sample of `expected` processes, G; at most 1.
  func totality(expected: Double) -> Double {
    let inclusion = expected / Double(nodes)
    if inclusion >= 1 || correct < 2 { return 0 }
    let logAbsent = 2 * logarithmOfOnePlus(-inclusion)
    var logChoices = 0.0
    var sum = 0.0
    for k in 1...((correct + 1) / 2) {
      logChoices += naturalLogarithm(Double(correct - k + 1) / Double(k))
      let term = exponential(logChoices + Double(k) * Double(correct - k) * logAbsent)
      sum += term
      if sum >= 1 { return 1 }
      // The terms fall from k = 1 on, or the first few have already reached 1.
      if term < sum * 1e-18 { break }
    }
    return sum
  }
}
