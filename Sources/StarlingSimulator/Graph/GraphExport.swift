extension DirectedGraph {
  /// The graph in Graphviz's DOT language, for `dot`, `sfdp` and others.
  ///
  /// - Parameters:
  ///   - name: the graph's name.
  ///   - labels: what to write at each vertex; vertices beyond its end show their numbers.
  /// - Returns: text that ends with a line break, vertices and edges in ascending order of their sources.
  public func dot(name: String = "overlay", labels: [String] = []) -> String {
    var text = "digraph \(Self.dotQuoted(name)) {\n"
    for vertex in 0..<vertexCount {
      let label = vertex < labels.count ? " [label=\(Self.dotQuoted(labels[vertex]))]" : ""
      text += "  \(vertex)\(label);\n"
    }
    for vertex in 0..<vertexCount {
      for target in neighbors(of: vertex) { text += "  \(vertex) -> \(target);\n" }
    }
    return text + "}\n"
  }

  /// The graph in GraphML (Brandes and others, "GraphML progress report", 2001), for Gephi, NetworkX and others.
  ///
  /// - Parameter labels: each vertex's `label`; vertices beyond its end have none.
  /// - Returns: a whole XML document that ends with a line break.
  public func graphML(labels: [String] = []) -> String {
    var text = """
      <?xml version="1.0" encoding="UTF-8"?>
      <graphml xmlns="http://graphml.graphdrawing.org/xmlns">
        <key id="label" for="node" attr.name="label" attr.type="string"/>
        <graph id="overlay" edgedefault="directed">

      """
    for vertex in 0..<vertexCount {
      if vertex < labels.count {
        let label = MarkupText.escaped(labels[vertex])
        text += "    <node id=\"n\(vertex)\"><data key=\"label\">\(label)</data></node>\n"
      } else {
        text += "    <node id=\"n\(vertex)\"/>\n"
      }
    }
    for vertex in 0..<vertexCount {
      for target in neighbors(of: vertex) {
        text += "    <edge source=\"n\(vertex)\" target=\"n\(target)\"/>\n"
      }
    }
    return text + "  </graph>\n</graphml>\n"
  }

  /// A quoted string of DOT: only the quote and the backslash need care, and a line break becomes `\n`.
  private static func dotQuoted(_ text: String) -> String {
    var quoted = "\""
    for character in text.unicodeScalars {
      switch character {
      case "\"": quoted += "\\\""
      case "\\": quoted += "\\\\"
      case "\n", "\r": quoted += "\\n"
      default: quoted.unicodeScalars.append(character)
      }
    }
    return quoted + "\""
  }
}
