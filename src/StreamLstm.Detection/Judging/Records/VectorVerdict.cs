namespace StreamLstm.Detection.Judging.Records;

/// <summary>What is said of a row of D values.</summary>
public readonly record struct VectorVerdict
{
    /// <summary>J: the mean over scored columns of -log10 of the chance of so large a residual; null in the first 100 rows.</summary>
    public double? Score { get; init; }

    /// <summary>Whether J is above <see cref="VectorDetector.Threshold"/>.</summary>
    public bool IsAbnormal { get; init; }

    /// <summary>Whether this row is abnormal and the one before it was not.</summary>
    public bool IsAlert { get; init; }

    /// <summary>Whether a value was infinite or beyond 1e12 and was taken as missing.</summary>
    public bool HasBadValue { get; init; }
}
