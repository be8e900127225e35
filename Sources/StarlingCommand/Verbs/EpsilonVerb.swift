extension Verb {
  /// `starling epsilon`
  static let epsilon = Verb(
    "epsilon", "compute how safe a secure broadcast is, or the parameters that make it so",
    options: [
      Option("nodes", "N", "how many processes there are, 2 to 1000000"),
      Option("byzantine", "SHARE", "how many of them may lie, rounded up, below a third (default 10%)"),
      Option(
        "target", "EPSILON", "find the smallest samples that fail less often, such as 1e-10; 1e-16 or more"),
    ] + EpsilonQuestion.sampleOptions + [
      .json, .out,
    ],
    notes: """
      Give --target and it finds the parameters that were not given; give parameters and it says how often
      they fail. A layer needs its sample and its threshold; ready and delivery samples go together.
      Samples are drawn with replacement, so that one may be larger than the network: a process that was
      drawn three times is asked once and counts three times.
      Up to 4096 processes the bounds are evaluated exactly; above, by upper bounds of them.
      """
  ) { arguments throws(CommandError) in
    let question = try EpsilonQuestion(arguments)
    let output = try Output(arguments)
    let answer = try question.answer()
    try output.write(answer.json, json: arguments.has("json"), text: answer.text)
  }
}
