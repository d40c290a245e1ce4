using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using StreamLstm.Detection.Learning;
using StreamLstm.Detection.Scaling;
using StreamLstm.Model;
using StreamLstm.Model.Heads;

namespace StreamLstm.Detection.Scoring;

/// <summary>One stream's forecasts: h and c from message to message, what was forecast for the rows to come, and how far to trust it.</summary>
internal sealed class Forecaster
{
    /// <summary>Share by which the trust in network and marginal returns to even per row: the better one may change.</summary>
    private const double FixedShare = 0.01;

    private static readonly int HorizonCount = ForecastInput.Horizons.Length;

    /// <summary>Forecasts that wait for their row, and the first of each horizon among them.</summary>
    private static readonly int PendingRows = ForecastInput.Horizons.Sum();
    private static readonly int[] PendingFrom = [.. Enumerable.Range(0, HorizonCount).Select(h => ForecastInput.Horizons[..h].Sum())];

    private readonly float[] _state = new float[ForecastInput.Shape.Network.StateSize];
    private Half[] _pending = [];    // (rows to come of each horizon, bins), from the first step on
    private readonly double[] _trust = [.. ForecastInput.Horizons.Select(_ => 0.5)];
    private readonly double[] _nextTrust = [.. ForecastInput.Horizons.Select(_ => 0.5)];
    private readonly Tail[] _tails = new Tail[ForecastInput.Horizons.Length];

    /// <summary>Steps since the state was last set to zero: a horizon counts from as many steps on.</summary>
    public long Steps { get; private set; }

    /// <summary>The state (StateSize), for a checkpoint.</summary>
    public ReadOnlySpan<float> State => _state;

    /// <summary>Whether the forecasts of all horizons for the present row were made without a break.</summary>
    public bool IsWarm => Steps >= ForecastInput.HorizonMax;

    /// <summary>The tail of the present value under the forecast of each horizon; a probability of 0.5 where there is none.</summary>
    public ReadOnlySpan<Tail> Tails => _tails;

    /// <summary>Forgets h, c and every forecast.</summary>
    public void Reset()
    {
        Array.Clear(_state);
        Steps = 0;
    }

    /// <summary>h and c from zero over the last rows of the ring: after a swap they mean something again.</summary>
    public void ReWarm(ForecastWeights weights, ValueRing ring, ForecastInput encoder, DetectionScratch scratch)
    {
        Reset();

        for (long row = Math.Max(ring.First, ring.Count - 64); row < ring.Count; row++)
        {
            Step(weights, row, encoder, scratch);
        }
    }

    /// <summary>Holds the value of the present row against what each horizon had forecast for it.</summary>
    public void Judge(
        long row, double value, QuantileBins bins, SortedReservoir history, ValueScale scale, long moves, DetectionScratch scratch)
    {
        int bin = bins.BinOf(value);
        Span<float> forecast = stackalloc float[QuantileBins.Count];

        for (int h = 0; h < HorizonCount; h++)
        {
            if (Steps < ForecastInput.Horizons[h])
            {
                _tails[h] = new Tail(0.5, 1);
                _nextTrust[h] = _trust[h];
                continue;
            }

            TensorPrimitives.ConvertToSingle(Pending(h, row), forecast);
            Mix(forecast, bins.Marginal, _trust[h], scratch.Mixture);
            _tails[h] = bins.TailOf(scratch.Mixture, value, history, scale, moves);

            // Bayes: the one that gave this value more probability is believed more.
            double network = _trust[h] * forecast[bin];
            double marginal = (1 - _trust[h]) * bins.Marginal[bin];
            double trust = network + marginal > 0 ? network / (network + marginal) : 0.5;
            _nextTrust[h] = (1 - FixedShare) * trust + FixedShare * 0.5;
        }
    }

    /// <summary>Trusts network and marginal as the value just judged says.</summary>
    public void Trust() => _nextTrust.CopyTo(_trust, 0);

    /// <summary>Median and 98 % band of the one-step forecast for the present row; null before there is one.</summary>
    public (double Median, double Lower, double Upper)? Expect(
        long row, QuantileBins bins, SortedReservoir history, DetectionScratch scratch)
    {
        if (Steps < 1 || history.Count < 8)
        {
            return null;
        }

        Span<float> forecast = stackalloc float[QuantileBins.Count];
        TensorPrimitives.ConvertToSingle(Pending(0, row), forecast);
        Mix(forecast, bins.Marginal, _trust[0], scratch.Mixture);
        return (
            bins.QuantileOf(scratch.Mixture, 0.5, history),
            bins.QuantileOf(scratch.Mixture, 0.01, history),
            bins.QuantileOf(scratch.Mixture, 0.99, history));
    }

    /// <summary>Feeds the row to the network and keeps what it forecasts.</summary>
    public void Step(ForecastWeights weights, long row, ForecastInput encoder, DetectionScratch scratch)
    {
        _pending = _pending.Length > 0 ? _pending : new Half[PendingRows * QuantileBins.Count];
        encoder.Encode(row, scratch.Input, scratch.RowAnchors);
        ForecastHead.Step(weights, scratch.Input, _state, scratch.RowAnchors, scratch.Logits, scratch.Network);
        Span<float> forecast = stackalloc float[QuantileBins.Count];

        for (int h = 0; h < HorizonCount; h++)
        {
            ForecastHead.Softmax(scratch.Logits.AsSpan(h * QuantileBins.Count, QuantileBins.Count), forecast);
            TensorPrimitives.ConvertToHalf(forecast, Pending(h, row + ForecastInput.Horizons[h]));
        }

        Steps++;
    }

    public bool IsFinite()
    {
        foreach (float value in _state)
        {
            if (!float.IsFinite(value))
            {
                return false;
            }
        }

        return true;
    }

    public void Save(BinaryWriter writer)
    {
        writer.Write(Steps);

        foreach (double trust in _trust)
        {
            writer.Write(trust);
        }

        writer.Write(MemoryMarshal.AsBytes(_state.AsSpan()));

        writer.Write(_pending.Length > 0);
        writer.Write(MemoryMarshal.AsBytes(_pending.AsSpan()));
    }

    public void Load(BinaryReader reader)
    {
        Steps = reader.ReadInt64();

        for (int h = 0; h < HorizonCount; h++)
        {
            _trust[h] = reader.ReadDouble();
        }

        reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(_state.AsSpan()));

        _pending = reader.ReadBoolean() ? new Half[PendingRows * QuantileBins.Count] : [];
        reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(_pending.AsSpan()));
    }

    private static void Mix(ReadOnlySpan<float> network, ReadOnlySpan<float> marginal, double trust, Span<float> mixture)
    {
        for (int bin = 0; bin < mixture.Length; bin++)
        {
            mixture[bin] = (float)(trust * network[bin] + (1 - trust) * marginal[bin]);
        }
    }

    private Span<Half> Pending(int horizon, long row)
    {
        int slot = PendingFrom[horizon] + (int)(row % ForecastInput.Horizons[horizon]);
        return _pending.AsSpan(slot * QuantileBins.Count, QuantileBins.Count);
    }
}
