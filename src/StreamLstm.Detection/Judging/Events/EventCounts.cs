using System.Runtime.InteropServices;

namespace StreamLstm.Detection.Judging.Events;

/// <summary>How often each place, and each rank, has come so far; how likely something never seen is.</summary>
internal sealed class EventCounts
{
    /// <summary>Events after which counts are halved, so that the stream may change.</summary>
    private const int FadeEvents = 65_536;

    private readonly double[] _places = new double[EventNetwork.PlacesMax];
    private readonly double[] _ranks = new double[EventNetwork.PlacesMax + 1];
    private double _placesTotal;
    private double _ranksTotal;
    private double _newWeight;
    private double _totalWeight;

    /// <summary>Events counted, halved now and then.</summary>
    public double Total => _placesTotal;

    /// <summary>Chance that the next event is of a kind never seen.</summary>
    /// <remarks>
    /// Krichevsky and Trofimov's estimate (n + 1/2) / (N + 1) with the weights (i / N)² on event i: what a stream showed
    /// in its first lines, when all was new, is soon no measure, while one that goes on bringing new kinds makes them cheap.
    /// </remarks>
    public double NewProbability => (_newWeight + 0.5) / (_totalWeight + 1);

    /// <summary>Share of a place among <paramref name="used"/> places, each counted half a time more than it came.</summary>
    public double Probability(int place, int used) => (_places[place] + 0.5) / (_placesTotal + used / 2.0);

    /// <summary>Times a place came, halved now and then.</summary>
    public double Of(int place) => _places[place];

    /// <summary>-ln of the share of events whose rank was as deep.</summary>
    public double RankSurprise(int rank)
    {
        double deeper = 0;

        for (int i = rank; i < _ranks.Length; i++)
        {
            deeper += _ranks[i];
        }

        return -Math.Log((deeper + 0.5) / (_ranksTotal + 1));
    }

    public void AddPlace(int place)
    {
        _places[place]++;

        if (++_placesTotal > FadeEvents)
        {
            _placesTotal = Halve(_places);
        }
    }

    public void AddRank(int rank)
    {
        _ranks[rank]++;

        if (++_ranksTotal > FadeEvents)
        {
            _ranksTotal = Halve(_ranks);
        }
    }

    /// <param name="isNew">Whether an event was of a kind never seen.</param>
    /// <param name="events">Events so far, this one among them.</param>
    public void AddNovelty(bool isNew, long events)
    {
        double stay = 1 - 2 / Math.Clamp(events, 2, FadeEvents);
        _newWeight = _newWeight * stay + (isNew ? 1 : 0);
        _totalWeight = _totalWeight * stay + 1;
    }

    /// <summary>What a place has counted goes to another one.</summary>
    public void Move(int from, int to)
    {
        _places[to] += _places[from];
        _places[from] = 0;
    }

    public void Save(BinaryWriter writer)
    {
        writer.Write(MemoryMarshal.AsBytes(_places.AsSpan()));
        writer.Write(MemoryMarshal.AsBytes(_ranks.AsSpan()));
        writer.Write(_placesTotal);
        writer.Write(_ranksTotal);
        writer.Write(_newWeight);
        writer.Write(_totalWeight);
    }

    public void Load(BinaryReader reader)
    {
        reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(_places.AsSpan()));
        reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(_ranks.AsSpan()));
        _placesTotal = reader.ReadDouble();
        _ranksTotal = reader.ReadDouble();
        _newWeight = reader.ReadDouble();
        _totalWeight = reader.ReadDouble();
    }

    private static double Halve(double[] counts)
    {
        double total = 0;

        foreach (ref double count in counts.AsSpan())
        {
            count /= 2;
            total += count;
        }

        return total;
    }
}
