/// Rows and columns of a report.
public struct ReportTable: Hashable, Sendable {
  /// The heading.
  public var title: String
  /// The columns' names; the first is that of the rows' names.
  public var columns: [String]
  /// The rows; the first cell of each names it. Missing cells stay empty, cells beyond the columns are left out.
  public var rows: [[String]]
  /// A sentence under it; may be empty.
  public var caption: String

  /// A table.
  ///
  /// - Parameters:
  ///   - title: the heading.
  ///   - columns: the columns' names.
  ///   - rows: the rows' cells.
  ///   - caption: a sentence under it.
  public init(_ title: String, columns: [String], rows: [[String]], caption: String = "") {
    self.title = title
    self.columns = columns
    self.rows = rows
    self.caption = caption
  }

  /// A table with a row for each quantity and a column for each measure of its distribution.
  ///
  /// - Parameters:
  ///   - title: the heading.
  ///   - distributions: what to show, with the name and unit of each.
  public init(_ title: String, distributions: [(name: String, distribution: Distribution)]) {
    self.init(
      title, columns: ["", "mean", "stddev", "min", "p1", "median", "p99", "max"],
      rows: distributions.map { name, spread in
        [name]
          + [
            spread.mean, spread.stddev, spread.min, spread.p1, spread.p50, spread.p99, spread.max,
          ].map(NumberText.readable)
      },
      caption: "Percentiles are by nearest rank; the deviation is that of the whole population.")
  }

  /// Longer cells, such as hashes, may be broken anywhere.
  private static let longCell = 24

  /// A few columns fit beside something else, many or long ones take a row of the page.
  private var breadth: String {
    if rows.contains(where: { $0.dropFirst().contains { $0.count > Self.longCell } }) || columns.count > 8 {
      return " wide full"
    }
    return columns.count > 3 ? " wide" : ""
  }

  func html() -> String {
    let heads = columns.map { "<th scope=\"col\">\(MarkupText.escaped($0))</th>" }.joined()
    let body = rows.map { row in
      let cells = zip(columns, row).dropFirst().map { column, cell in
        let long = cell.count > Self.longCell ? " class=\"long\"" : ""
        return "<td\(long) data-label=\"\(MarkupText.escaped(column))\">\(MarkupText.escaped(cell))</td>"
      }
      let missing = String(repeating: "<td></td>", count: max(columns.count - max(row.count, 1), 0))
      return
        "<tr><th scope=\"row\">\(MarkupText.escaped(row.first ?? ""))</th>\(cells.joined())\(missing)</tr>\n"
    }
    let note = caption.isEmpty ? "" : "<figcaption><p>\(MarkupText.escaped(caption))</p></figcaption>\n"
    return """
      <figure class="card table\(breadth)">
      <h3>\(MarkupText.escaped(title))</h3>
      <table>
      <thead><tr>\(heads)</tr></thead>
      <tbody>
      \(body.joined())</tbody>
      </table>
      \(note)</figure>

      """
  }
}
