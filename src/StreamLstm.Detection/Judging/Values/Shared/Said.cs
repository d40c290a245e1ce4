using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using StreamLstm.Detection.Deciding;

namespace StreamLstm.Detection.Judging.Values.Shared;

/// <summary>What was said of a stream's last value, in small: for when it is asked again after another stream was judged.</summary>
internal struct Said
{
    /// <summary>What is said of a stream of which nothing is known.</summary>
    public static readonly Said Nothing = new() { _evidence = (float)Judgement.Unknown };

    /// <summary>Steps of a byte per decade.</summary>
    private const double StepsPerDecade = 16;

    private float _evidence, _plain, _expected, _lower, _upper;   // expected: from the stream's origin; NaN for none
    private ushort _flatRows;
    private byte _kind;
    private sbyte _side;
    private bool _isJudged, _isAsForecast;
    private Decades _scores;

    [InlineArray(SharedIndicators.Count)]
    private struct Decades
    {
        private byte _first;
    }

    /// <summary>Whether there was anything to decide on.</summary>
    public readonly bool IsJudged => _isJudged;

    /// <summary>Whether it came where it was forecast.</summary>
    public readonly bool IsAsForecast => _isAsForecast;

    /// <summary>Notes what was said.</summary>
    /// <param name="said">What was.</param>
    /// <param name="origin">The stream's first value.</param>
    public void Note(Judgement said, double origin)
    {
        _evidence = (float)said.Evidence;
        _plain = (float)(said.Plain ?? double.NaN);
        _expected = (float)(said.Expected?.Median - origin ?? double.NaN);
        _lower = (float)(said.Expected?.Lower - origin ?? double.NaN);
        _upper = (float)(said.Expected?.Upper - origin ?? double.NaN);
        (_flatRows, _kind, _side) = ((ushort)said.FlatRows, (byte)said.Kind, (sbyte)said.Side);
        (_isJudged, _isAsForecast) = (said.IsJudged, said.IsAsForecast);
        ReadOnlySpan<double> scores = said.Scores;

        for (int i = 0; i < scores.Length; i++)
        {
            _scores[i] = (byte)Math.Clamp(Math.Round(StepsPerDecade * scores[i]), 0, byte.MaxValue);
        }
    }

    /// <summary>Says it again.</summary>
    /// <param name="said">Where to.</param>
    /// <param name="value">The value it was said of.</param>
    /// <param name="origin">The stream's first value.</param>
    public readonly void Recall(Judgement said, double value, double origin)
    {
        said.Clear();
        (said.Value, said.Actual) = (value, value);
        (said.IsJudged, said.IsAsForecast) = (_isJudged, _isAsForecast);
        said.Evidence = _evidence;
        said.Plain = float.IsNaN(_plain) ? null : _plain;
        said.Expected = float.IsNaN(_expected) ? null : (origin + _expected, origin + _lower, origin + _upper);
        (said.FlatRows, said.Kind, said.Side) = (_flatRows, (IncidentKind)_kind, _side);
        said.Likeness = IndicatorSentences.LikenessOf(said.Kind);
        said.Count = _isJudged ? SharedIndicators.Count : 0;

        for (int i = 0; i < said.Count; i++)
        {
            (said.AllScores[i], said.AllValues[i]) = (_scores[i] / StepsPerDecade, 0);
        }
    }

    public readonly void Save(BinaryWriter writer)
    {
        Said me = this;
        writer.Write(MemoryMarshal.AsBytes(new ReadOnlySpan<Said>(ref me)));
    }

    public void Load(BinaryReader reader) => reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(new Span<Said>(ref this)));
}
