import Glibc
import StarlingCore

/// A picture of a flock at dusk, for demonstrations that need a real file and have none: a Windows bitmap,
/// since every viewer and browser opens it and writing it takes no library.
struct MurmurationPicture {
  let width: Int
  let height: Int
  /// Red, green and blue of each pixel, 0 ... 1, from the top left.
  private var pixels: [SIMD3<Double>]
  private var random: Xoshiro256

  /// Paints the picture that follows from a seed.
  init(width: Int, height: Int, seed: UInt64) {
    self.width = width
    self.height = height
    random = Xoshiro256(seed: seed)
    pixels = []
    pixels.reserveCapacity(width * height)
    paintSky()
    let birds = width * height / 60
    for bird in 0..<birds { paintBird(bird, of: birds) }
    paintReeds()
  }

  private mutating func paintSky() {
    let colours: [SIMD3<Double>] = [
      [0.10, 0.12, 0.30], [0.35, 0.25, 0.48], [0.85, 0.45, 0.38], [0.99, 0.75, 0.45],
    ]
    for y in 0..<height {
      let position = Double(y) / Double(height) * Double(colours.count - 1)
      let above = min(Int(position), colours.count - 2)
      let colour = mix(colours[above], colours[above + 1], position - Double(above))
      // A little grain, as film has; it also keeps the file from compressing to nothing.
      for _ in 0..<width { pixels.append(colour + (random.unit() - 0.5) * 0.03) }
    }
  }

  /// Birds gather along a band that winds through the sky, denser towards its middle.
  private mutating func paintBird(_ bird: Int, of birds: Int) {
    let along = Double(bird) / Double(birds) + 0.06 * bell()
    let across = bell()
    let swell = 0.07 + 0.16 * pow(sin(.pi * along), 2) * (1 + 0.5 * sin(9 * along))
    let x = 0.08 + 0.84 * along + 0.06 * sin(11 * along) + 0.05 * bell()
    let y = 0.38 + 0.20 * sin(5.2 * along + 0.6) + across * swell
    let size = 0.4 + 1.4 * random.unit() * Double(width) / 800
    paintDot(x: x * Double(width), y: y * Double(height), radius: size, strength: 0.75)
  }

  /// Between -1 and 1, mostly near 0: a sum of uniform numbers is near enough to a bell.
  private mutating func bell() -> Double {
    (random.unit() + random.unit() + random.unit() - 1.5) / 1.5
  }

  private mutating func paintReeds() {
    for _ in 0..<(width / 3) {
      let foot = random.unit() * Double(width)
      let length = Double(height) * (0.03 + 0.10 * random.unit())
      let lean = (random.unit() - 0.5) * 0.5
      for step in 0..<Int(length) {
        let x = foot + lean * Double(step) * Double(step) / length
        paintDot(x: x, y: Double(height - 1 - step), radius: 1.2, strength: 0.9)
      }
    }
  }

  private mutating func paintDot(x: Double, y: Double, radius: Double, strength: Double) {
    let night: SIMD3<Double> = [0.05, 0.05, 0.10]
    let reach = Int(radius) + 1
    for row in (Int(y) - reach)...(Int(y) + reach) where (0..<height).contains(row) {
      for column in (Int(x) - reach)...(Int(x) + reach) where (0..<width).contains(column) {
        let (dx, dy) = (Double(column) - x, Double(row) - y)
        let cover = min(1, max(0, radius + 0.5 - (dx * dx + dy * dy).squareRoot()))
        let index = row * width + column
        pixels[index] = mix(pixels[index], night, cover * strength)
      }
    }
  }

  private func mix(_ a: SIMD3<Double>, _ b: SIMD3<Double>, _ share: Double) -> SIMD3<Double> {
    a + (b - a) * share
  }

  /// The picture as a bitmap file: 54 bytes of header, then blue, green and red from the bottom left, each
  /// row filled up to a multiple of 4 bytes.
  func bitmap() -> [UInt8] {
    let padding = [UInt8](repeating: 0, count: (4 - 3 * width % 4) % 4)
    let size = (3 * width + padding.count) * height
    var bytes = Array("BM".utf8)
    func append(_ value: Int, _ count: Int) {
      for i in 0..<count { bytes.append(UInt8(truncatingIfNeeded: value >> (8 * i))) }
    }
    for (value, count) in [(54 + size, 4), (0, 4), (54, 4), (40, 4), (width, 4), (height, 4), (1, 2)] {
      append(value, count)
    }
    // 24 bits a pixel, no compression, 72 dots an inch, no palette.
    for (value, count) in [(24, 2), (0, 4), (size, 4), (2835, 4), (2835, 4), (0, 4), (0, 4)] {
      append(value, count)
    }
    for row in stride(from: height - 1, through: 0, by: -1) {
      for pixel in pixels[(row * width)..<((row + 1) * width)] {
        for channel in [pixel.z, pixel.y, pixel.x] { bytes.append(UInt8(min(1, max(0, channel)) * 255)) }
      }
      bytes += padding
    }
    return bytes
  }
}
