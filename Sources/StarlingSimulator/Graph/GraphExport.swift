extension DirectedGraph {
  /// The graph in Graphviz's DOT language, for `dot`, `sfdp` and others.
  ///
  /// - Parameters:
  ///   - name: the graph's name.
  ///   - peers: the number under which each vertex goes, what to write at it, and whether it is an adversary.
  /// - Returns: text that ends with a line break, vertices and edges in ascending order of their sources.
  public func dot(name: String = "overlay", peers: DrawnPeers = DrawnPeers()) -> String {
    var text = "digraph \(Self.dotQuoted(name)) {\n"
    for vertex in 0..<vertexCount {
      var attributes = vertex < peers.names.count ? ["label=\(Self.dotQuoted(peers.names[vertex]))"] : []
      if peers.isAdversary(vertex) {
        attributes += [
          "adversary=true", "shape=diamond", "style=filled", "fillcolor=\"\(DuskPalette.adversary)\"",
        ]
      }
      let list = attributes.isEmpty ? "" : " [\(attributes.joined(separator: ", "))]"
      text += "  \(peers.number(vertex))\(list);\n"
    }
    for vertex in 0..<vertexCount {
      for target in neighbors(of: vertex) {
        text += "  \(peers.number(vertex)) -> \(peers.number(Int(target)));\n"
      }
    }
    return text + "}\n"
  }

  /// The graph in GraphML (Brandes and others, "GraphML progress report", 2001), for Gephi, NetworkX and others.
  ///
  /// - Parameter peers: the number under which each vertex goes, its `label`, and whether it is an `adversary`.
  /// - Returns: a whole XML document that ends with a line break.
  public func graphML(peers: DrawnPeers = DrawnPeers()) -> String {
    var text = """
      <?xml version="1.0" encoding="UTF-8"?>
      <graphml xmlns="http://graphml.graphdrawing.org/xmlns">
        <key id="label" for="node" attr.name="label" attr.type="string"/>
        <key id="adversary" for="node" attr.name="adversary" attr.type="boolean"><default>false</default></key>
        <graph id="overlay" edgedefault="directed">

      """
    for vertex in 0..<vertexCount {
      var data = ""
      if vertex < peers.names.count {
        data += "<data key=\"label\">\(MarkupText.escaped(peers.names[vertex]))</data>"
      }
      if peers.isAdversary(vertex) { data += "<data key=\"adversary\">true</data>" }
      let id = "id=\"n\(peers.number(vertex))\""
      text += data.isEmpty ? "    <node \(id)/>\n" : "    <node \(id)>\(data)</node>\n"
    }
    for vertex in 0..<vertexCount {
      for target in neighbors(of: vertex) {
        let ends = (peers.number(vertex), peers.number(Int(target)))
        text += "    <edge source=\"n\(ends.0)\" target=\"n\(ends.1)\"/>\n"
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
