using System.Runtime.CompilerServices;
using StreamLstm.Detection.Learning;
using StreamLstm.Detection.Scoring;
using StreamLstm.Model;
using StreamLstm.Model.Heads;

namespace StreamLstm.Detection.Judging.Values.Shared;

/// <summary>What the base network forecast for the rows to come, in a byte a bin for the next one and half a byte for the six after it; h and c.</summary>
internal struct SharedForecasts
{
    private const int Bins = QuantileBins.Count;
    private const int Ahead = 6;

    /// <summary>Steps of a byte per doubling of a probability, and doublings per step of half a byte.</summary>
    private const double StepsPerDoubling = 8;
    private const double DoublingsPerHalf = 0.65;

    private const float FixedShare = 0.01f;

    private static readonly float[] OfByte = [.. Enumerable.Range(0, 256).Select(code => (float)Math.Pow(2, -code / StepsPerDoubling))];
    private static readonly float[] OfHalf = [.. Enumerable.Range(0, 16).Select(code => (float)Math.Pow(2, -code * DoublingsPerHalf))];

    private StateValues _state;
    private NextBins _next;
    private AheadBins _ahead;
    private float _trust1;
    private float _trust6;
    private byte _steps;

    [InlineArray(48)]
    private struct StateValues
    {
        private float _first;
    }

    [InlineArray(Bins)]
    private struct NextBins
    {
        private byte _first;
    }

    [InlineArray(Ahead * Bins / 2)]
    private struct AheadBins
    {
        private byte _first;
    }

    /// <summary>Whether there is a forecast for the present row.</summary>
    public readonly bool HasNext => _steps >= 1;

    /// <summary>Whether there is one of six rows before.</summary>
    public readonly bool HasAhead => _steps >= Ahead;

    /// <summary>h and c: (state).</summary>
    [System.Diagnostics.CodeAnalysis.UnscopedRef]
    public Span<float> State => _state;

    /// <summary>Forgets h, c and what was forecast.</summary>
    public void Reset()
    {
        ((Span<float>)_state).Clear();
        (_steps, _trust1, _trust6) = (0, 0.5f, 0.5f);
    }

    /// <summary>Holds the present row's value against what was forecast for it.</summary>
    /// <param name="row">The row.</param>
    /// <param name="value">Its value.</param>
    /// <param name="sample">What the bins are bins of.</param>
    /// <param name="mixture">(bins): what the row before forecast, afterwards.</param>
    /// <param name="trust">What <see cref="Trust"/> takes where the value may teach.</param>
    /// <returns>Its tails; null where there was no forecast.</returns>
    public readonly (Tail? Next, Tail? Ahead) Judge(long row, float value, in SharedSample sample, Span<float> mixture, out (float Next, float Ahead) trust)
    {
        const int MovesKnown = 64;
        int bin = sample.BinOf(value);
        Tail? next = null, ahead = null;
        trust = (_trust1, _trust6);

        if (HasAhead)
        {
            ReadAhead((int)(row % Ahead), mixture);
            trust.Ahead = Mix(mixture, _trust6, bin);
            ahead = sample.TailOf(mixture, value, MovesKnown);
        }

        if (HasNext)
        {
            for (int b = 0; b < Bins; b++)
            {
                mixture[b] = OfByte[_next[b]];
            }

            trust.Next = Mix(mixture, _trust1, bin);
            next = sample.TailOf(mixture, value, MovesKnown);
        }

        return (next, ahead);
    }

    /// <summary>Trusts network and sample as the value just judged says.</summary>
    public void Trust((float Next, float Ahead) trust) => (_trust1, _trust6) = trust;

    /// <summary>Takes the state after a step and the logits of every horizon; false where they are not finite.</summary>
    /// <param name="row">The row that was stepped over.</param>
    /// <param name="state">(state).</param>
    /// <param name="logits">(horizons, bins): overwritten.</param>
    public bool Stepped(long row, ReadOnlySpan<float> state, Span<float> logits)
    {
        foreach (float value in state)
        {
            if (!float.IsFinite(value))
            {
                Reset();
                return false;
            }
        }

        state.CopyTo(_state);
        _steps = (byte)Math.Min(_steps + 1, Ahead);
        Span<float> next = logits[..Bins], ahead = logits.Slice(Bins, Bins);
        ForecastHead.Softmax(next, next);
        ForecastHead.Softmax(ahead, ahead);

        for (int b = 0; b < Bins; b++)
        {
            _next[b] = (byte)Math.Min(Math.Round(-StepsPerDoubling * Math.Log2(Math.Max(next[b], 1e-12f))), byte.MaxValue);
        }

        int place = (int)(row % Ahead) * Bins / 2;

        for (int b = 0; b < Bins; b += 2)
        {
            _ahead[place + b / 2] = (byte)(Half(ahead[b]) | Half(ahead[b + 1]) << 4);
        }

        return true;

        static int Half(float probability) => (int)Math.Min(Math.Round(-Math.Log2(Math.Max(probability, 1e-12f)) / DoublingsPerHalf), 15);
    }

    public readonly void Save(BinaryWriter writer)
    {
        SharedForecasts me = this;
        writer.Write(System.Runtime.InteropServices.MemoryMarshal.AsBytes(new ReadOnlySpan<SharedForecasts>(ref me)));
    }

    public void Load(BinaryReader reader) =>
        reader.BaseStream.ReadExactly(System.Runtime.InteropServices.MemoryMarshal.AsBytes(new Span<SharedForecasts>(ref this)));

    private readonly void ReadAhead(int place, Span<float> probabilities)
    {
        for (int b = 0; b < Bins; b += 2)
        {
            byte two = _ahead[place * Bins / 2 + b / 2];
            (probabilities[b], probabilities[b + 1]) = (OfHalf[two & 15], OfHalf[two >> 4]);
        }
    }

    /// <summary>Mixes the network's probabilities with the sample's; the trust after this value, by Bayes.</summary>
    private static float Mix(Span<float> network, float trust, int bin)
    {
        float sum = 0;

        foreach (float probability in network)
        {
            sum += probability;
        }

        ReadOnlySpan<float> marginal = SharedSample.Marginal;
        float byNetwork = trust * network[bin] / sum, byMarginal = (1 - trust) * marginal[bin];

        for (int b = 0; b < Bins; b++)
        {
            network[b] = trust * network[b] / sum + (1 - trust) * marginal[b];
        }

        float after = byNetwork + byMarginal > 0 ? byNetwork / (byNetwork + byMarginal) : 0.5f;
        return (1 - FixedShare) * after + FixedShare * 0.5f;
    }
}
