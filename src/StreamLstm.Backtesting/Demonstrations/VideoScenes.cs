namespace StreamLstm.Backtesting.Demonstrations;

/// <summary>What is wrong with a picture.</summary>
internal enum VideoFault
{
    /// <summary>The conveyor stands still.</summary>
    Stopped,

    /// <summary>Something lies on the floor that should not be there.</summary>
    ForeignObject,

    /// <summary>The camera was pushed by a few points.</summary>
    CameraMoved,

    /// <summary>The light flickers.</summary>
    Flicker,
}

/// <summary>A made scene: a conveyor that carries boxes of several sizes through a lit hall, seen by a camera that has noise.</summary>
internal sealed class VideoScenes
{
    public const int Width = 96;
    public const int Height = 72;

    private const int BeltTop = 30;
    private const int BeltBottom = 54;
    private const double Speed = 3.3;   // points a picture
    private const int MarkEvery = 8;
    private const double Noise = 3;

    private readonly Random _random;
    private readonly List<(double Left, int Width, int Height, int Light)> _boxes = [];
    private readonly double[] _wall = new double[(Width + 16) * (Height + 16)];
    private double _belt, _toNext, _day;

    /// <param name="seed">Seed of the hall, the boxes and the noise.</param>
    public VideoScenes(int seed)
    {
        _random = new Random(seed);

        // Bricks, and a window to the left of them.
        for (int y = 0; y < Height + 16; y++)
        {
            for (int x = 0; x < Width + 16; x++)
            {
                double brick = y % 8 == 0 || (x + y / 8 * 6) % 12 == 0 ? 70 : 95;
                _wall[y * (Width + 16) + x] = x is > 14 and < 34 && y is > 14 and < 28 ? 190 : brick;
            }
        }
    }

    /// <summary>The next picture.</summary>
    /// <param name="frame">Becomes its points, a byte each (Width * Height).</param>
    /// <param name="fault">What is wrong with it; null for nothing.</param>
    public void Next(Span<byte> frame, VideoFault? fault)
    {
        Move(fault == VideoFault.Stopped ? 0 : Speed);
        _day += 0.02 * Normal() - 0.001 * _day;
        double light = 1 + 0.02 * Math.Tanh(_day) + (fault == VideoFault.Flicker ? 0.08 * (_random.Next(2) == 0 ? 1 : -1) : 0);
        int shift = fault == VideoFault.CameraMoved ? 3 : 0;

        for (int y = 0; y < Height; y++)
        {
            for (int x = 0; x < Width; x++)
            {
                double point = At(x + shift, y + shift / 2);

                // A bag on the floor, hardly darker than it.
                point -= fault == VideoFault.ForeignObject && x is > 70 and < 80 && y is > 60 and < 67 ? 25 : 0;
                frame[y * Width + x] = (byte)Math.Clamp(point * light + Noise * Normal(), 0, 255);
            }
        }
    }

    private double At(int x, int y)
    {
        if (y is < BeltTop or >= BeltBottom)
        {
            return y >= BeltBottom ? 60 + 10 * Math.Sin(0.4 * x) : _wall[(y + 8) * (Width + 16) + Math.Min(x + 8, Width + 15)];
        }

        foreach ((double left, int width, int height, int boxLight) in _boxes)
        {
            if (x >= left && x < left + width && y >= BeltBottom - 4 - height && y < BeltBottom - 4)
            {
                return boxLight;
            }
        }

        return y >= BeltBottom - 6 ? ((x - _belt) % MarkEvery + MarkEvery) % MarkEvery < 3 ? 30 : 55 : 80;
    }

    private void Move(double by)
    {
        _belt += by;
        _toNext -= by;

        for (int i = _boxes.Count - 1; i >= 0; i--)
        {
            _boxes[i] = _boxes[i] with { Left = _boxes[i].Left + by };

            if (_boxes[i].Left > Width + 8)
            {
                _boxes.RemoveAt(i);
            }
        }

        if (_toNext <= 0)
        {
            _boxes.Add((-20, 8 + _random.Next(9), 7 + _random.Next(9), 120 + _random.Next(70)));
            _toNext = 28 + 14 * _random.NextDouble();
        }
    }

    private double Normal() => Math.Sqrt(-2 * Math.Log(1 - _random.NextDouble())) * Math.Cos(2 * Math.PI * _random.NextDouble());
}
