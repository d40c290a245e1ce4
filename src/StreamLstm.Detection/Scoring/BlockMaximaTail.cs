using StreamLstm.Detection.Judging;

namespace StreamLstm.Detection.Scoring;

/// <summary>Brings one channel to the common scale: log10 of one over the number of comparable events to be expected so far.</summary>
/// <remarks>
/// The maxima of blocks of 25 rows are nearly independent, whatever the channel's memory. Of them the 16 highest so far
/// are kept; above the lowest of these, u, an exponential tail with mean excess beta is assumed (Pickands 1975, shape 0).
/// As beta is known from k excesses only, its uncertainty is integrated out: k events above u so far, each beyond v
/// with probability (1 + (v - u) / (k beta))^-k, the Lomax posterior predictive. Few blocks thus give modest scores by
/// themselves.
/// </remarks>
/// <param name="delayBlocks">Blocks after which a block counts: 0 to forget quickly what has been alarmed, 16 so that an anomaly does not teach its own score away.</param>
/// <param name="prior">The least mean excess, and the one expected before anything is known.</param>
/// <param name="priorPerLevel">What of u is added to it: for channels without a unit of their own.</param>
/// <param name="priorCount">Excesses that the prior is worth.</param>
internal sealed class BlockMaximaTail(int delayBlocks, double prior, double priorPerLevel = 0, int priorCount = 16)
{
    /// <summary>The score of what nothing is known about; also the least.</summary>
    public const double Unknown = -2;

    /// <summary>Rows in a block.</summary>
    public const int BlockRows = 25;

    private const int KeptMax = 16;

    /// <summary>What a kept maximum loses per block: an extreme is half forgotten after 280 blocks, 7,000 rows.</summary>
    private const double Fade = 0.9975;

    /// <summary>In place of the maximum of a block that is not to count: indicators are never negative.</summary>
    private const double Void = -1;

    private readonly double[] _highest = new double[KeptMax];
    private readonly double[] _waiting = new double[delayBlocks];
    private int _kept;
    private int _waitingCount;
    private double _blockMax;
    private int _blockRows;
    private double _meanExcess;

    /// <summary>Blocks that count.</summary>
    public long Blocks { get; private set; }

    /// <summary>A level that a person called ordinary: one event of that height was to be expected, whatever the maxima say. 0 for none; not saved.</summary>
    public double Ordinary { get; set; }

    /// <summary>The score of a channel value; <see cref="Unknown"/> where nothing is known yet.</summary>
    public double Score(double value)
    {
        double plain = PlainScore(value);
        return Ordinary > 0 && plain > 0 ? Math.Min(plain, Decades(Math.Max(0, value - Ordinary))) : plain;
    }

    /// <summary>The score as it were had nobody called a level ordinary.</summary>
    public double PlainScore(double value)
    {
        if (_kept < 4)
        {
            return Unknown;
        }

        double excess = value - _highest[_kept - 1];
        return excess <= 0
            ? Math.Max(Unknown, excess / (_meanExcess * Math.Log(10)) - Math.Log10(_kept))
            : Decades(excess) - Math.Log10(_kept);
    }

    /// <summary>Takes a row for what it may teach: what is suspicious raises no maximum, what is abnormal counts for nothing.</summary>
    public void Learn(double value, Lesson lesson)
    {
        switch (lesson)
        {
            case Lesson.Normal:
                Add(value);
                break;
            case Lesson.Suspicious:
                Add(_kept > 0 ? Math.Min(value, _highest[0]) : value);
                break;
            default:
                Skip();
                break;
        }
    }

    public void Add(double value)
    {
        _blockMax = _blockMax < 0 ? Void : Math.Max(_blockMax, value);
        EndRow();
    }

    /// <summary>Lets a row pass that is not to teach: its block counts for nothing.</summary>
    public void Skip()
    {
        _blockMax = Void;
        EndRow();
    }

    /// <summary>Keeps rows from teaching afterwards, as far as their blocks do not count yet.</summary>
    /// <param name="firstRowsAgo">The first of them; 1 is the last row that was added.</param>
    /// <param name="lastRowsAgo">The last of them.</param>
    public void Exclude(long firstRowsAgo, long lastRowsAgo)
    {
        if (lastRowsAgo <= _blockRows)
        {
            _blockMax = Void;
        }

        for (int block = 0; block < _waitingCount; block++)
        {
            long newestRowsAgo = _blockRows + (long)(_waitingCount - 1 - block) * BlockRows + 1;

            if (firstRowsAgo >= newestRowsAgo && lastRowsAgo < newestRowsAgo + BlockRows)
            {
                _waiting[block] = Void;
            }
        }
    }

    public void Save(BinaryWriter writer)
    {
        writer.Write(_kept);
        writer.Write(_waitingCount);
        writer.Write(_blockMax);
        writer.Write(_blockRows);
        writer.Write(Blocks);

        foreach (double value in _highest)
        {
            writer.Write(value);
        }

        foreach (double value in _waiting)
        {
            writer.Write(value);
        }
    }

    public void Load(BinaryReader reader)
    {
        _kept = reader.ReadInt32();
        _waitingCount = reader.ReadInt32();
        _blockMax = reader.ReadDouble();
        _blockRows = reader.ReadInt32();
        Blocks = reader.ReadInt64();

        if (_kept is < 0 or > KeptMax || _waitingCount < 0 || _waitingCount > _waiting.Length)
        {
            throw new InvalidDataException($"tail: {_kept} kept and {_waitingCount} waiting maxima, expected at most {KeptMax} and {_waiting.Length}");
        }

        for (int i = 0; i < _highest.Length; i++)
        {
            _highest[i] = reader.ReadDouble();
        }

        for (int i = 0; i < _waiting.Length; i++)
        {
            _waiting[i] = reader.ReadDouble();
        }

        Fit();
    }

    /// <summary>How improbable an event is that exceeds a level by so much, given that it exceeds it.</summary>
    private double Decades(double excess)
    {
        double known = _kept + priorCount;
        return known * Math.Log10(1 + excess / (known * _meanExcess));
    }

    private void EndRow()
    {
        if (++_blockRows < BlockRows)
        {
            return;
        }

        double completed = _blockMax;
        _blockMax = 0;
        _blockRows = 0;

        if (_waiting.Length > 0)
        {
            if (_waitingCount < _waiting.Length)
            {
                _waiting[_waitingCount++] = completed;
                return;
            }

            double oldest = _waiting[0];
            Array.Copy(_waiting, 1, _waiting, 0, _waiting.Length - 1);
            _waiting[^1] = completed;
            completed = oldest;
        }

        Enter(completed);
        Fit();
    }

    private void Fit()
    {
        if (_kept == 0)
        {
            return;
        }

        double u = _highest[_kept - 1];
        double least = prior + priorPerLevel * u;
        double excess = priorCount * least;

        for (int i = 0; i < _kept; i++)
        {
            excess += _highest[i] - u;
        }

        _meanExcess = Math.Max(excess / (_kept + priorCount), least);
    }

    private void Enter(double maximum)
    {
        if (maximum < 0)
        {
            return;
        }

        Blocks++;

        for (int i = 0; i < _kept; i++)
        {
            _highest[i] *= Fade;
        }

        if (_kept == KeptMax && maximum <= _highest[^1])
        {
            return;
        }

        int place = _kept < KeptMax ? _kept++ : KeptMax - 1;

        while (place > 0 && _highest[place - 1] < maximum)
        {
            _highest[place] = _highest[place - 1];
            place--;
        }

        _highest[place] = maximum;
    }
}
