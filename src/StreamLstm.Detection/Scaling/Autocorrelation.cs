namespace StreamLstm.Detection.Scaling;

/// <summary>A series' products with itself at every lag, by the Fourier transform (Wiener and Khinchin): n log n steps, no stall.</summary>
/// <remarks>One thread's, for series of at most <see cref="LengthMax"/> values.</remarks>
internal sealed class Autocorrelation
{
    /// <summary>The longest series.</summary>
    public const int LengthMax = Points / 2;

    /// <summary>Points of the transform: twice the series, so that its end does not meet its beginning.</summary>
    private const int Points = 16_384;

    private static readonly double[] Cosines = [.. Enumerable.Range(0, Points / 2).Select(k => Math.Cos(2 * Math.PI * k / Points))];
    private static readonly double[] Sines = [.. Enumerable.Range(0, Points / 2).Select(k => -Math.Sin(2 * Math.PI * k / Points))];

    private readonly double[] _real = new double[Points];
    private readonly double[] _imaginary = new double[Points];

    /// <summary>The sum over i of y[i] y[i - lag] for every lag from 0: (lags), good until the next call.</summary>
    /// <param name="y">At most <see cref="LengthMax"/> values.</param>
    /// <param name="lags">At most as many as the series has values.</param>
    public Span<double> Products(ReadOnlySpan<double> y, int lags)
    {
        y.CopyTo(_real);
        Array.Clear(_real, y.Length, Points - y.Length);
        Array.Clear(_imaginary);
        Transform();

        for (int k = 0; k < Points; k++)
        {
            _real[k] = _real[k] * _real[k] + _imaginary[k] * _imaginary[k];
            _imaginary[k] = 0;
        }

        // A power spectrum is even, so that a second transform forward is the one back.
        Transform();

        Span<double> products = _real.AsSpan(0, lags);

        for (int lag = 0; lag < lags; lag++)
        {
            products[lag] /= Points;
        }

        return products;
    }

    /// <summary>In place, radix 2 (Cooley and Tukey 1965).</summary>
    private void Transform()
    {
        for (int i = 1, j = 0; i < Points; i++)
        {
            int bit = Points >> 1;

            for (; (j & bit) != 0; bit >>= 1)
            {
                j ^= bit;
            }

            j ^= bit;

            if (i < j)
            {
                (_real[i], _real[j]) = (_real[j], _real[i]);
                (_imaginary[i], _imaginary[j]) = (_imaginary[j], _imaginary[i]);
            }
        }

        for (int half = 1; half < Points; half *= 2)
        {
            int step = Points / (2 * half);

            for (int first = 0; first < Points; first += 2 * half)
            {
                Span<double> realA = _real.AsSpan(first, half), realB = _real.AsSpan(first + half, half);
                Span<double> imaginaryA = _imaginary.AsSpan(first, half), imaginaryB = _imaginary.AsSpan(first + half, half);

                for (int k = 0, at = 0; k < realA.Length; k++, at += step)
                {
                    double cosine = Cosines[at], sine = Sines[at];
                    double real = cosine * realB[k] - sine * imaginaryB[k];
                    double imaginary = cosine * imaginaryB[k] + sine * realB[k];
                    realB[k] = realA[k] - real;
                    imaginaryB[k] = imaginaryA[k] - imaginary;
                    realA[k] += real;
                    imaginaryA[k] += imaginary;
                }
            }
        }
    }
}
