// The decoder of the trained VAE, run in the page: tanh layers, then a sigmoid.
for (const box of document.querySelectorAll(".live")) {
  const { layers, shape } = JSON.parse(box.dataset.decoder);
  const [height, width] = shape;
  const plane = box.querySelector(".plane"), digit = box.querySelector(".digit");
  const note = box.querySelector(".code"), range = 2.2;

  const decode = (z) => {
    let h = z;
    layers.forEach(({ w, b }, i) => {
      const last = i === layers.length - 1;
      h = w.map((row, o) => {
        let a = b[o];
        for (let k = 0; k < row.length; k++) a += row[k] * h[k];
        return last ? 1 / (1 + Math.exp(-a)) : Math.tanh(a);
      });
    });
    return h;
  };

  const small = document.createElement("canvas");
  small.width = width;
  small.height = height;
  const draw = (canvas, image, x, y, size) => {
    const pixels = new ImageData(width, height);
    image.forEach((ink, k) => pixels.data.set([255 - 228 * ink, 255 - 213 * ink, 255 - 190 * ink, 255], 4 * k));
    small.getContext("2d").putImageData(pixels, 0, 0);
    const pen = canvas.getContext("2d");
    pen.imageSmoothingQuality = "high";
    pen.drawImage(small, 0, 0, width, height, x, y, size, size);
  };

  const n = 12, step = plane.width / n;
  for (let r = 0; r < n; r++)
    for (let c = 0; c < n; c++) {
      const z = [((c + 0.5) / n * 2 - 1) * range, (1 - (r + 0.5) / n * 2) * range];
      draw(plane, decode(z), c * step, r * step, step);
    }
  const show = (z) => {
    draw(digit, decode(z), 0, 0, digit.width);
    note.textContent = `z = (${z[0].toFixed(2)}, ${z[1].toFixed(2)})`;
  };
  plane.addEventListener("pointermove", (event) => {
    const at = plane.getBoundingClientRect();
    show([((event.clientX - at.left) / at.width * 2 - 1) * range,
          (1 - (event.clientY - at.top) / at.height * 2) * range]);
  });
  show([0.6, -0.4]);
}
